/*
 * ig_version.h: the project's version, for the module, the audit log and
 * integrityctl.  Owns nothing.
 */

#ifndef IG_VERSION_H
#define IG_VERSION_H

#define IG_VERSION  "0.1.0"

#endif /* IG_VERSION_H */
