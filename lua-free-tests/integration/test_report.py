"""`integrityctl report`: its numbers against a recount of the same log."""

import collections
import datetime
import gzip
import json
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from harness.desk_log import BEGIN, DECISIONS, Story
from harness.settings import CTL

DAY = datetime.timedelta(days=1)


def run(*arguments, stdin=None):
    done = subprocess.run([CTL, "report", *map(str, arguments)],
                          capture_output=True, timeout=120, check=False,
                          input=stdin)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def report(*arguments):
    code, out, err = run("--json", *arguments)
    assert (code, err) == (0, "")
    return json.loads(out)


def stronger(members):
    return members["decision"] != "allow"


def would(members):
    return DECISIONS.index(members.get("would", members["decision"])) \
        > DECISIONS.index(members["decision"])


def values(value):
    return value if isinstance(value, list) else [value]


class Recount:
    """What a report must say, from the calls themselves."""

    def __init__(self, story, since, until):
        calls = [(members, count) for moment, members, count in story.calls
                 if since <= moment < until]
        self.decision = collections.Counter()
        self.action = collections.Counter()
        self.fired = collections.Counter()
        self.alone = collections.Counter()
        self.dry_run = collections.Counter()
        self.evaluation = collections.Counter()
        self.key = collections.Counter()
        for members, count in calls:
            self.decision[members["decision"]] += count
            self.decision["would"] += count if would(members) else 0
            self.action[members["action"]] += count
            self.evaluation[members["evaluation"]] += count
            for rule in members["rule"]:
                self.fired[rule["name"]] += count
                self.dry_run[rule["name"]] += \
                    count if rule.get("dry_run") else 0
            if len(members["rule"]) == 1:
                self.alone[members["rule"][0]["name"]] += count
            if stronger(members):
                for field in ("account", "device", "merchant", "product"):
                    for value in values(members["field"][field]):
                        self.key[field, value] += count


def check(found, story, since, until):
    now = Recount(story, since, until)
    before = Recount(story, since - (until - since), since)
    assert found["calls"] == sum(now.action.values())
    for word in (*DECISIONS, "would"):
        assert found["decision"][word] == now.decision[word]
        assert found["before"][word] == before.decision[word]
        assert sum(one[word] for one in found["time"]["bin"]) \
            == now.decision[word]
    assert {row["name"]: row["calls"] for row in found["action"]
            if row["calls"]} == dict(now.action)
    assert {row["name"]: row["before"] for row in found["action"]
            if row["before"]} == dict(before.action)
    for key, counted in (("fired", now.fired), ("alone", now.alone),
                         ("dry_run", now.dry_run), ("before", before.fired)):
        assert {row["name"]: row[key] for row in found["rule"] if row[key]} \
            == {name: count for name, count in counted.items() if count}
    for word, count in found["evaluation"].items():
        assert count == now.evaluation.get(word, 0)
    assert {(row["field"], row["value"]): row["calls"]
            for row in found["key"]} == dict(now.key)
    assert found["keys_forgotten"] == 0
    assert sum(row["calls"] for row in found["unclassified"]) == sum(
        count for moment, count in story.unclassified
        if since <= moment < until)
    assert found["changes"] == sum(
        since <= moment < until for moment, _ in story.changes)


@settings(max_examples=6, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 30), hours=st.integers(-11, 14),
       day=st.integers(4, 9), week=st.booleans())
def test_numbers_agree_with_a_recount(folder, seed, hours, day, week):
    story = Story(seed, calls=300, days=12)
    log = story.write(folder / "audit.log")
    last = (BEGIN + day * DAY).date()
    shift = datetime.timedelta(hours=hours)
    until = BEGIN + (day + 1) * DAY - shift
    since = until - (7 if week else 1) * DAY
    found = report("--period", "week" if week else "day", "--ending", last,
                   f"--time-zone={hours:+03}:00", log)
    assert found["period"]["since"] == since.strftime("%Y-%m-%dT%H:00:00.000Z")
    check(found, story, since, until)


def test_any_period_of_several_files(folder):
    story = Story(5, calls=400)
    half = len(story.lines) // 2
    (folder / "a.log").write_bytes(b"".join(story.lines[half:]))
    with gzip.open(folder / "a.log.1.gz", "wb") as old:
        old.write(b"".join(story.lines[:half]))
    since, until = BEGIN + DAY * 1.5, BEGIN + DAY * 3.25
    found = report("--since", since.isoformat(), "--until", until.isoformat(),
                   folder / "a.log", folder / "a.log.1.gz")
    check(found, story, since, until)
    assert found["log"]["lines"] == len(story.lines)
    assert found["log"]["missing"] == found["log"]["repeated"] == 0


def test_numbers_are_keys_where_they_are_asked_for(folder):
    story = Story(6, calls=200)
    log = story.write(folder / "audit.log")
    found = report("--by", "rating,merchant", "--ending", "2026-11-18", log)
    assert {row["field"] for row in found["key"]} == {"rating", "merchant"}


def test_health_of_the_log(folder):
    """Lost lines are told; a line taken out, or a file given twice, shows."""
    story = Story(9, calls=200, lost=4)
    log = story.write(folder / "audit.log")
    week = ("--period", "week", "--ending", "2026-11-23")
    found = report(*week, log)["log"]
    assert (found["lost"], found["missing"], found["repeated"]) == (4, 0, 0)
    assert found["chains"] == 2

    short = folder / "short.log"
    short.write_bytes(b"".join(story.lines[:50] + story.lines[53:]))
    assert report(*week, short)["log"]["missing"] == 3
    out = run(*week, short)[1]
    assert "3 lines are missing in the middle of a chain" in out
    assert report(*week, log, log)["log"]["repeated"] == len(story.lines)

    damaged = folder / "damaged.log"
    damaged.write_bytes(b"".join(story.lines[:60]) + b'{"v":1,"ki\n'
                        + b"".join(story.lines[60:]))
    code, out, err = run("--json", *week, damaged)
    assert code == 0 and "damaged" in err
    assert json.loads(out)["log"]["damaged"] == 1


def test_text(folder):
    story = Story(11, calls=300, merchants=("店铺", "a\x1b[31mb\u202ec"))
    log = story.write(folder / "audit.log")
    code, out, err = run("--ending", "2026-11-20", "--time-zone=+08:00", log)
    assert (code, err) == (0, "")
    assert out.startswith("Integrity report, 2026-11-20\n====")
    assert "All times are UTC+08:00." in out
    assert "2026-11-20 23:00" in out and "2026-11-21" not in out
    assert "店铺" in out and "\x1b" not in out and "\u202e" not in out
    assert "刷单 <b>case 7</b>" in run("--period=week",
                                       "--ending=2026-11-25", log)[1]


def test_what_is_not_compared(folder):
    log = Story(3, calls=100).write(folder / "audit.log")
    out = run("--ending", "2026-11-16", log)[1]
    assert "it does not reach back" in out and "Before" not in out
    assert "Before" in run("--ending", "2026-11-18", log)[1]


@pytest.mark.parametrize("arguments, words", [
    ((), "no file"),
    (("--period", "month", "x"), '--period: "month" is neither day nor week'),
    (("--ending", "2026-02-30", "x"), '"2026-02-30" is no day'),
    (("--time-zone", "CST", "x"), '"CST" is neither UTC nor an offset'),
    (("--until", "2026-11-23", "x"), "--until needs --since"),
    (("--since", "2026-11-23", "--until", "2026-11-22", "x"), "ends before"),
    (("--since", "2026-11-23", "--period", "day", "x"), "either --since"),
    (("--by", "a b", "x"), '--by: "a b"'),
    (("--nonsense", "x"), 'unknown option "--nonsense"'),
    (("--ending", "2026-11-23", "/nonexistent/x"), "/nonexistent/x"),
])
def test_usage(arguments, words):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "") and words in err


def test_nothing_and_nowhere(folder):
    empty = folder / "empty.log"
    empty.write_bytes(b"")
    code, _, err = run("--ending", "2026-11-23", empty)
    assert code == 1 and "no line of an audit log" in err
    log = Story(3, calls=50).write(folder / "audit.log")
    code, _, err = run("--ending", "2027-01-01", log)
    assert code == 1 and "the log is from 2026-11-16 00:00" in err
    code, out, err = run("--ending", "2026-11-18", "--html",
                         folder / "no" / "page.html", log)
    assert (code, out) == (2, "") and "cannot write" in err
    code, out, err = run("--ending", "2026-11-18", "--html", "/dev/full", log)
    assert (code, out) == (2, "") and 'cannot write "/dev/full"' in err
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([CTL, "report", "--ending", "2026-11-18", log],
                              stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2 and b"standard output" in done.stderr
    code, out, err = run("--ending", "2026-11-18", "--json", "-",
                         stdin=log.read_bytes())
    assert code == 0 and json.loads(out)["calls"] > 0
