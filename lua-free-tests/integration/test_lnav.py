"""conf/lnav: lnav, without its screen, reads every line of the audit log."""

import gzip
import json
import os
import subprocess
from collections import Counter

import pytest

from harness import story
from harness.settings import PATIENCE, ROOT, SCHEMA

FORMAT = ROOT / "conf" / "lnav"


@pytest.fixture
def told(nginx):
    return story.tell(nginx)


@pytest.fixture
def lnav(folder):
    """Runs commands on files; an SQL query's answer comes back as rows."""
    formats = folder / "lnav" / "formats"
    formats.mkdir(parents=True)
    (formats / "integrity").symlink_to(FORMAT)

    def run(*words):
        done = subprocess.run(
            ["lnav", "-n", "-I", folder / "lnav", *words],
            capture_output=True, text=True, timeout=60 * PATIENCE,
            check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(folder), "TERM": "dumb",
                 "TMPDIR": str(folder)})
        assert done.stderr == ""
        assert "✘" not in done.stdout
        return done.stdout

    def ask(command, *paths):
        return json.loads(run("-c", command, "-c", ":write-json-to -", *paths))

    ask.shown = run
    return ask


def test_every_kind_of_line_is_read(told, lnav):
    rows = lnav(";SELECT kind, count(*) AS n FROM integrity_log GROUP BY kind",
                *told.audit_paths())
    lines = told.audit_lines()
    kinds = Counter(line["kind"] for line in lines)
    assert {row["kind"]: row["n"] for row in rows} == kinds
    assert set(kinds) == story.KINDS == {path.stem for path
                                         in SCHEMA.glob("*.json")}
    # and shown as a line each, in the order of time
    shown = lnav.shown(*told.audit_paths()).splitlines()
    assert [line.split()[1] for line in shown] \
        == [line["kind"] for line in lines]


def test_levels_follow_the_decision(told, lnav):
    rows = lnav(";SELECT decision, log_level FROM integrity_log"
                " WHERE kind = 'decision'", *told.audit_paths())
    assert {(row["decision"], row["log_level"]) for row in rows} == {
        ("allow", "info"), ("hold", "warning"), ("throttle", "warning"),
        ("deny", "error")}


def test_every_key_is_a_column(told, lnav):
    known = {key for path in SCHEMA.glob("*.json")
             for key in json.loads(path.read_text())["properties"]}
    columns = set(lnav(";SELECT * FROM integrity_log LIMIT 1",
                       *told.audit_paths())[0])
    assert known - columns == {"time"}      # log_time
    # none of them needs quotes
    names = ", ".join(sorted(known & columns))
    (row,) = lnav(f";SELECT {names} FROM integrity_log"
                  " WHERE kind = 'list' AND op = 'add'", *told.audit_paths())
    assert (row["name"], row["by"], row["reason"]) \
        == ("banned", "ada", story.REASON)


def calls(server):
    """{(action, decision): calls}, by the lines themselves."""
    found, of_event = Counter(), {}
    for line in server.audit_lines():
        if line["kind"] == "decision":
            of_event[line["event"]] = line["action"], line["decision"]
            found[of_event[line["event"]]] += 1
    for line in server.audit_lines("repeat"):
        found[of_event[line["event"]]] += line["count"]
    return found


def test_the_summary_counts_calls(told, lnav):
    """Also those for which one line stands, and in a rotated gzip file."""
    packed = told.dir / "audit.log.2.gz"
    packed.write_bytes(gzip.compress(
        (told.dir / "audit.log.1").read_bytes()))
    rows = lnav("|integrity-summary", told.audit_path, packed)
    packed.unlink()
    assert {(row["action"], row["decision"]): row["calls"] for row in rows} \
        == calls(told)
    assert calls(told)["order.create", "throttle"] == 4


def test_the_rules_that_fired_and_were_tried(told, lnav):
    rows = lnav("|integrity-rules", *told.audit_paths())
    counted = {}
    for line in told.audit_lines("decision"):
        for rule in line["rule"]:
            fired, tried = counted.get(rule["name"], (0, 0))
            dry = rule.get("dry_run", False)
            counted[rule["name"]] = fired + (not dry), tried + dry
    assert {row["rule"]: (row["fired"], row["tried"]) for row in rows} \
        == counted
    assert counted["too_fast"] == (1, 0)
    assert counted["too_fast_8"] == (0, story.TRIED_AT_8)


def test_what_people_did_and_what_was_held(told, lnav):
    rows = lnav(";SELECT op, by FROM integrity_changes",
                *told.audit_paths())
    assert [row["op"] for row in rows] \
        == ["add", "remove", "inspect", "begin", "end"]
    assert {row["by"] for row in rows} == {"ada"}
    rows = lnav(";SELECT event FROM integrity_held", *told.audit_paths())
    assert {row["event"] for row in rows} == {
        line["event"] for line in told.audit_lines("decision")
        if line["decision"] != "allow"}
    assert lnav(";SELECT count(*) AS n FROM integrity_losses",
                *told.audit_paths()) == [{"n": 0}]
