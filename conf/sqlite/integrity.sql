-- The audit log as tables of SQLite (3.38 or later); docs/audit-log.md asks them.
--
--     zcat -f audit.log* | sqlite3 audit.db ".read integrity.sql"
--
-- Run again with more lines, it adds them; each line is kept once.

CREATE TABLE IF NOT EXISTS raw (j TEXT NOT NULL);
CREATE TEMP TABLE fresh (j TEXT NOT NULL);

-- ascii: a line is one value, whatever quotes and commas are in it.
.mode ascii
.separator "\037" "\n"
.import /dev/stdin fresh
.mode list
.separator "|"

-- A line's hash is that of all before it: the same twice is one line twice.
CREATE UNIQUE INDEX IF NOT EXISTS raw_hash ON raw (j ->> 'hash');
INSERT OR IGNORE INTO raw SELECT j FROM fresh WHERE json_valid(j);

CREATE INDEX IF NOT EXISTS raw_event ON raw (j ->> 'event', j ->> 'kind');

-- Every key of every kind of line.  field, counter, rule, list and before are
-- JSON: field ->> 'account', json_each(rule).
CREATE VIEW IF NOT EXISTS audit AS
SELECT
       j ->> 'time' AS time,
       j ->> 'kind' AS kind,
       j ->> 'event' AS event,
       j ->> 'node' AS node,
       j ->> 'tenant' AS tenant,
       j ->> 'action' AS action,
       j ->> 'decision' AS decision,
       j ->> 'mode' AS mode,
       j ->> 'score' AS score,
       j ->> 'would' AS would,
       j ->> 'would_score' AS would_score,
       j ->> 'evaluation' AS evaluation,
       j ->> 'method' AS method,
       j ->> 'path' AS path,
       j ->> 'request' AS request,
       j ->> 'body' AS body,
       j ->> 'new_keys' AS new_keys,
       j ->> 'field' AS field,
       j ->> 'counter' AS counter,
       j ->> 'list' AS list,
       j ->> 'list_unknown' AS list_unknown,
       j ->> 'rule' AS rule,
       j ->> 'policy' AS policy,
       j ->> 'status' AS status,
       j ->> 'upstream' AS upstream,
       j ->> 'duration_ms' AS duration_ms,
       j ->> 'aborted' AS aborted,
       j ->> 'count' AS count,
       j ->> 'denied' AS denied,
       j ->> 'op' AS op,
       j ->> 'name' AS name,
       j ->> 'load' AS load,
       j ->> 'since' AS since,
       j ->> 'until' AS until,
       j ->> 'events' AS events,
       j ->> 'writes' AS writes,
       j ->> 'reason' AS reason,
       j ->> 'by' AS by,
       j ->> 'failed' AS failed,
       j ->> 'version' AS version,
       j ->> 'before' AS before,
       j ->> 'issued' AS issued,
       j ->> 'lost' AS lost,
       j ->> 'sha256' AS sha256,
       j ->> 'part' AS part,
       j ->> 'parts' AS parts,
       j ->> 'text' AS text,
       j ->> 'truncated' AS truncated,
       j ->> 'cut' AS cut,
       j ->> 'chain' AS chain,
       j ->> 'seq' AS seq,
       j ->> 'dropped' AS dropped,
       j ->> 'prev' AS prev,
       j ->> 'hash' AS hash,
       j ->> 'v' AS v
  FROM raw;

-- A decided call; calls: for how many this line stands.
CREATE VIEW IF NOT EXISTS decided AS
SELECT d.*, 1 + coalesce((SELECT sum(r.j ->> 'count')
                            FROM raw AS r
                           WHERE r.j ->> 'event' = d.event
                             AND r.j ->> 'kind' = 'repeat'), 0) AS calls
  FROM audit AS d
 WHERE d.kind = 'decision';

-- A row for each rule that fired; dry_run: it was only tried.
CREATE VIEW IF NOT EXISTS fired AS
SELECT d.time, d.event, d.action, d.decision, d.field,
       r.value ->> 'name' AS rule, r.value ->> 'decision' AS demands,
       r.value ->> 'score' AS score,
       coalesce(r.value ->> 'dry_run', 0) AS dry_run
  FROM audit AS d, json_each(d.rule) AS r
 WHERE d.kind = 'decision';
