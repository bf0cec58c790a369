-- Views over the audit log, made when lnav starts. docs/audit-log.md uses them.
-- In lnav: ";SELECT * FROM integrity_held", or "|integrity-summary".

-- A decided call and how it ended. "calls": this line stands for that many.
CREATE VIEW integrity_decisions AS
SELECT d.log_time AS log_time, d.event AS event, d.action AS action,
       d.decision AS decision, d.score AS score, d.would AS would,
       d.evaluation AS evaluation, d.field AS field, d.counter AS counter,
       d.rule AS rule, d.policy AS policy,
       1 + coalesce((SELECT sum(r.count) FROM integrity_log AS r
                     WHERE r.kind = 'repeat' AND r.event = d.event), 0)
           AS calls
  FROM integrity_log AS d
 WHERE d.kind = 'decision';

-- What did not simply pass.
CREATE VIEW integrity_held AS
SELECT * FROM integrity_decisions WHERE decision <> 'allow';

-- A row for each rule that fired.
CREATE VIEW integrity_rules AS
SELECT d.log_time AS log_time, d.event AS event, d.action AS action,
       d.decision AS decision,
       json_extract(r.value, '$.name') AS rule,
       json_extract(r.value, '$.decision') AS demands,
       json_extract(r.value, '$.score') AS score,
       coalesce(json_extract(r.value, '$.dry_run'), 0) AS dry_run,
       d.field AS field
  FROM integrity_log AS d, json_each(d.rule) AS r
 WHERE d.kind = 'decision';

-- What people did, to lists, keys and by loading history.
CREATE VIEW integrity_changes AS
SELECT log_time, kind, op, name, field, until, by, reason, failed, event
  FROM integrity_log WHERE kind IN ('list', 'key', 'load') ORDER BY log_line;

-- Lines that could not be written: so many before this one.
CREATE VIEW integrity_losses AS
SELECT log_time, chain, seq, dropped
  FROM integrity_log WHERE dropped > 0;
