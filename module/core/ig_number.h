/*
 * ig_number.h: doubles as decimal text, without a locale.
 * Owns nothing: the memory is the caller's.
 * Called by the buffer writer and by values; ig_parse_number, the way back,
 * is in ig_value.h.
 */

#ifndef IG_NUMBER_H
#define IG_NUMBER_H

#include "ig_core.h"

#define IG_NUMBER_TEXT  32

/*
 * The shortest decimal text that reads back as the same double, in the form
 * of ECMAScript's Number::toString: from 1e-7 up to 1e21 without an exponent,
 * integers without a point, -0 as 0.  n must be finite.  Writes at most
 * IG_NUMBER_TEXT bytes, unterminated, and returns how many.
 */
size_t ig_number_text(double n, char text[IG_NUMBER_TEXT]);

#endif /* IG_NUMBER_H */
