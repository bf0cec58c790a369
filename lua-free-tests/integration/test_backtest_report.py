"""integrityctl backtest: what it says of labels, groups, places, candidates."""

import json
import os
import pty
import random
import re
import subprocess
from itertools import product

import pytest

from backtest_place import POLICY, buy, generated
from harness.backtest import Bench, backtest, lines_of, rules
from harness.settings import CTL, ROOT


@pytest.fixture
def bench(folder):
    return Bench(folder)


# Labels and groups

def auc_by_pairs(scored):
    """The definition itself: pairs in the right order, ties half."""
    good = [score for score, label in scored if not label]
    bad = [score for score, label in scored if label]
    won = sum((b > g) + (b == g) / 2 for b, g in product(bad, good))
    return won / len(good) / len(bad)


LABEL_POLICY = """
    integrity_field account $account;
    integrity_field a json:/a;
    integrity_field b json:/b;
    integrity_rule a "a > 0" score=30;
    integrity_rule b "b > 0" score=25;
    integrity_rule never "a > 9" score=1;
    integrity_scores hold=50;
"""


def labelled(seed, n=300):
    rng = random.Random(seed)
    return [buy(i, rng.choice("pqrstuv") + str(rng.randint(1, 20)),
                a=rng.randint(0, 1), b=rng.randint(0, 2),
                **({"fraud": rng.random() < .3}
                   if rng.random() < .9 else {}))
            for i in range(n)]


def test_precision_recall_and_auc(bench):
    events = labelled(5)
    report = bench(LABEL_POLICY, events, "--label", "fraud")
    scored = [(30 * (event["a"] > 0) + 25 * (event["b"] > 0), event["fraud"])
              for event in events if "fraud" in event]
    found = report["conf"]["events"]["label"]
    assert found["true"] == sum(label for _, label in scored)
    assert found["false"] == len(scored) - found["true"]
    assert found["none"] == len(events) - len(scored)
    assert found["auc"] == pytest.approx(auc_by_pairs(scored), abs=1e-6)

    def match(flagged):
        hit = sum(label for flag, label in flagged if flag)
        wrong = sum(not label for flag, label in flagged if flag)
        missed = found["true"] - hit
        return {"hit": hit, "wrong": wrong, "missed": missed,
                "precision": pytest.approx(hit / (hit + wrong), abs=1e-6),
                "recall": pytest.approx(hit / (hit + missed), abs=1e-6),
                "f1": pytest.approx(2 * hit / (2 * hit + wrong + missed),
                                    abs=1e-6)}

    assert found["held"] == match([(score >= 50, label)
                                   for score, label in scored])
    assert [row["from"] for row in found["score"]] == [55, 30, 25, 0]
    for row in found["score"]:
        assert row == {"from": row["from"], **match(
            [(score >= row["from"], label) for score, label in scored])}
    one = rules(report)["b"]
    assert {key: one[key] for key in found["held"]} == match(
        [(event["b"] > 0, event["fraud"]) for event in events
         if "fraud" in event])
    never = rules(report)["never"]
    assert never["precision"] is None and never["recall"] == 0


def test_groups_are_what_their_worst_event_is(bench):
    events = labelled(6)
    events.append(buy(999, ["x", "y"], a=1, b=1, fraud=True))
    report = bench(LABEL_POLICY, events, "--label", "fraud", "--by",
                   "account")
    groups = {}
    for event in events[:-1]:
        groups.setdefault(event["account"], []).append(event)
    assert report["groups"] == len(groups)
    assert report["without_group"] == 1
    scored = []
    for members in groups.values():
        labels = [event["fraud"] for event in members if "fraud" in event]
        if labels:
            scored.append((max(30 * (event["a"] > 0) + 25 * (event["b"] > 0)
                               for event in members), any(labels)))
    found = report["conf"]["groups"]
    assert found["n"] == len(groups)
    assert found["label"]["true"] + found["label"]["false"] == len(scored)
    assert found["label"]["held"]["hit"] == sum(
        score >= 50 and label for score, label in scored)
    assert found["label"]["held"]["wrong"] == sum(
        score >= 50 and not label for score, label in scored)
    assert found["label"]["auc"] == pytest.approx(auc_by_pairs(scored),
                                                  abs=1e-6)
    assert abs(found["label"]["auc"] - .5) > .01
    assert rules(report, "groups")["a"]["fired"] == sum(
        any(event["a"] > 0 for event in members)
        for members in groups.values())


def test_groups_by_two_fields_and_by_what_is_no_field(bench):
    events = [buy(n, account, a=1, b=1, shop=shop, fraud=0)
              for n, (account, shop) in enumerate(
                  [("a", 1), ("a", "1"), ("a", 2), ("b", 1), ("a,1", 2)])]
    report = bench(LABEL_POLICY, events, "--by", "account,shop")
    # 1 and "1" are the same key
    assert report["groups"] == 4


@pytest.mark.parametrize("value, truth", [
    (1, "true"), (0, "false"), (True, "true"), (False, "false"),
    ("1", "true"), ("0", "false"), ("false", "false"), ("spam", "true"),
    (0.5, "true"), ("", "none"), (None, "none")])
def test_what_a_label_is(bench, value, truth):
    report = bench(LABEL_POLICY, [buy(0, fraud=value), buy(1, fraud=1)],
                   "--label", "fraud")
    label = report["conf"]["events"]["label"]
    assert label[truth] == 1 + (truth == "true")


def test_no_rule_may_read_the_label(bench):
    said = bench.text(LABEL_POLICY, [buy(0)], "--label", "a")
    assert said.code == 2 and "no rule may read the label" in said.errors[0]


def test_tables_for_a_person(bench):
    said = bench.text(LABEL_POLICY, labelled(5), "--label", "fraud", "--by",
                      "account")
    assert max(map(len, said.out.splitlines())) <= 100
    assert not re.search(r"[ \t]$", said.out, re.M)
    for pattern in (r"^rule +fired +alone +hold +throttle +deny +unknown +"
                    r"precision +recall +F1$",
                    r"^a +\d+ +\d+ +\d+ +0 +0 +0 +0\.\d{3} +0\.\d{3} +",
                    r"^never +0 +0 +0 +0 +0 +0 +- +0\.000 +",
                    r"^fraud: true for \d+ of \d+ events \(\d+\.\d\d %\), "
                    r"\d+ have none$",
                    r"^held or stronger: \d+ rightly, \d+ wrongly, \d+ missed; "
                    r"precision 0\.\d{3}, recall 0\.\d{3}, F1 0\.\d{3}$",
                    r"^area under the ROC curve of the score: 0\.\d{4}$",
                    r"^ +55 +\d+ +\d+\.\d\d % .* hold$",
                    r"^-- by account: "):
        assert re.search(pattern, said.out, re.M), (pattern, said.out)


# Policies and places

CONF = """
    events {{ }}
    http {{
        integrity_zone integrity:4m;
        integrity_secret integrity.key;
        {policy}
        integrity_action buy;
        integrity on;
        server {{
            integrity_threshold limit 3;
            location / {{ }}
            location /v1/ {{
                integrity_threshold limit 4;
                location ~ ^/v1/partner {{
                    integrity on except=often;
                }}
                location = /v1/canary {{ integrity dry_run; }}
            }}
            location /off/ {{ integrity off; }}
        }}
        server {{
            location / {{ }}
        }}
    }}
"""


@pytest.mark.parametrize("place, held", [
    (None, 4), ("/v1/", 2), ("~ ^/v1/partner", 0), ("^/v1/partner", 0),
    ("= /v1/canary", 2)])
def test_a_place_s_settings(bench, place, held):
    conf = CONF.format(policy=POLICY)
    options = ["--location", place] if place else []
    report = bench(conf, [buy(n) for n in range(6)], *options)
    assert report["conf"]["events"]["decision"]["hold"] == held
    assert report["conf"]["mode"] == ("dry_run" if place == "= /v1/canary"
                                      else "enforce")
    assert rules(report)["often"].get("except", False) == (
        "partner" in (place or ""))


@pytest.mark.parametrize("place, why", [
    ("/", "is twice in"), ("/v2/", "there is no location"),
    ("/off/", "integrity is off")])
def test_a_place_that_cannot_be_tried(bench, place, why):
    said = bench.text(CONF.format(policy=POLICY), [buy(0)], "--location",
                      place)
    assert said.code == 2 and said.out == "" and why in said.errors[0]


def test_mistakes_in_the_policy_are_told_as_check_does(bench):
    said = bench.text(POLICY + "integrity_rule x \"nobody > 1\" then=deny;",
                      [buy(0)])
    assert said.code == 1 and said.out == ""
    assert re.search(r'policy\.conf:\d+: integrity_rule: .*"nobody"',
                     said.errors[0])


def test_fields_for_a_bare_pack(bench):
    pack = """
        integrity_counter hits on=buy key=account,shop window=1h exact;
        integrity_counter copies on=buy window=1h similar=words;
        integrity_rule often "hits >= 2" score=1;
    """
    events = [buy(0, shop=1), buy(1, shop=1), buy(2, shop=2)]
    assert [one[1] for one in bench.decisions(
        pack, events, "--field", "account,shop", "--field", "words:text")
    ] == [0, 1, 0]
    said = bench.text(pack, events, "--field", "account")
    assert said.code == 1
    assert any('"shop", which is no field' in line for line in said.errors)


def test_no_result_depends_on_the_secret(bench):
    secret = bench.folder / "integrity.key"
    secret.write_text("k1:" + "QUFB" * 10 + "QUE=\n")
    policy, events = generated(3)
    assert bench.decisions(str(policy), events) == bench.decisions(
        str(policy), events, "--secret", secret)
    said = bench.text(POLICY, [], "--secret", bench.folder / "none")
    assert said.code == 2
    (bench.folder / "bad").write_text("what is this?\n")
    said = bench.text(POLICY, [], "--secret", bench.folder / "bad")
    assert said.code == 2 and "what" not in said.errors[0]


def test_a_candidate_side_by_side(bench):
    candidate = bench.write("candidate.conf", POLICY.replace(
        "limit 2", "limit 4").replace(">= 100", ">= 70"))
    events = [buy(n, shop="s", fraud=0) for n in range(6)] + [
        # held before and refused now: that is neither
        buy(6, amount=75, fraud=0), buy(9, "bob", amount=80, fraud=1)]
    report = bench(POLICY, events, "--candidate", candidate, "--label",
                   "fraud", "--by", "account", "--examples", "2")
    change = report["change"]["events"]
    held, passed = change["newly_held"], change["passing_again"]
    assert change["from"] == {
        "allow": {"allow": 2, "hold": 0, "throttle": 0, "deny": 1},
        "hold": {"allow": 2, "hold": 2, "throttle": 0, "deny": 1},
        "throttle": dict.fromkeys(("allow", "hold", "throttle", "deny"), 0),
        "deny": dict.fromkeys(("allow", "hold", "throttle", "deny"), 0)}
    assert (held["n"], held["true"], held["false"]) == (1, 1, 0)
    assert (passed["n"], passed["true"], passed["false"]) == (2, 0, 2)
    assert len(passed["examples"]) == 2
    assert held["examples"] == [{
        "event": 8, "file": str(bench.folder / "events.jsonl"), "line": 8,
        "time": "2023-11-14T22:13:29.000Z",
        "field": {"account": "bob", "amount": 80}, "label": True,
        "conf": {"decision": "allow", "score": 0, "rules": "tried"},
        "candidate": {"decision": "deny", "score": 0,
                      "rules": "dear, tried"}}]
    groups = report["change"]["groups"]
    assert groups["newly_held"]["n"] == 1
    assert groups["newly_held"]["examples"][0]["group"] == ["bob"]
    assert groups["passing_again"]["n"] == 0
    assert report["candidate"]["file"] == str(candidate)

    said = bench.text(POLICY, events, "--candidate", candidate)
    assert "\nnewly held: 1 events\n  event 8 (" in said.out
    assert "\npassing again: 2 events\n  event 3 (" in said.out
    assert re.search(r"^    candidate: deny, score 0, dear, tried$", said.out,
                     re.M)


# One event

def test_one_event_explained(bench):
    events = [buy(0), buy(1), buy(2, amount=100), buy(3)]
    out = bench.text(POLICY, events, "--explain", "3").out
    for line in (
            f"event 3 ({bench.folder}/events.jsonl:3), "
            "2023-11-14T22:13:22.000Z, buy",
            f"{bench.folder}/policy.conf: deny, score 60; with rules in dry "
            "run deny, score 65",
            '  account is "ann"', "  amount is 100",
            "  hits_1h is 3 (events, counted one by one, of this account in "
            "the last 1h; this event was counted, and is taken back)",
            "  often FIRED; score=60",
            '    "hits_1h > limit": hits_1h is 3, limit is 2',
            "  dear FIRED; then=deny", '    "amount >= 100": amount is 100',
            "  tried FIRED; score=5 (dry run: no effect)"):
        assert line in out.splitlines(), (line, out)

    out = bench.text(POLICY, events, "--explain", "4").out
    for line in ("  amount is missing",
                 "  hits_1h is 3 (events, counted one by one, of this account "
                 "in the last 1h; this event is counted)",
                 "  dear cannot be told and is silent"):
        assert line in out.splitlines(), (line, out)

    said = bench.text(POLICY, events, "--explain", "5")
    assert said.code == 2 and "there are only 4 events" in said.errors[-1]


def test_every_kind_of_counter_explained(bench):
    policy, events = generated(1)
    policy = str(policy) + """
        integrity_field content json:/content text;
        integrity_list banned key=account;
        integrity_rule banned "banned" then=deny;
        integrity_counter copies on=x key=device window=90m similar=content;
        integrity_rule copied "copies > 1" then=hold;
    """
    out = bench.text(policy, events, "--explain", "2").out
    for part in ("near-duplicates of content, events of this device in the "
                 "last 1h30m",
                 "different values of device of this account in the last 15m",
                 "the sum of amount before this event of this account",
                 "the mean of amount before this event of this device",
                 "seconds since the first event of this account",
                 "seconds since the last event before this one of this "
                 "account, device",
                 "banned is false (a list of this account; rules and people "
                 "write it)"):
        assert part in out, (part, out)


def test_an_unclassified_event_explained(bench):
    said = bench.text(POLICY, [{"time": 1, "action": "sell"}], "--explain",
                      "1")
    assert "unclassified: no counter and no rule speaks of sell" in said.out


# The command line

@pytest.mark.parametrize("arguments, why", [
    ([], "no configuration"), (["-c", "x"], "no file of events"),
    (["-c"], "needs a value"), (["--warm=1", "-c", "x"], "takes no value"),
    (["--nothing", "-c", "x", "y"], "unknown option"),
    (["-c", "x", "--explain", "0", "y"], '"0" is no value of "--explain"'),
    (["-c", "x", "--zone=1k", "y"], '"1k" is no value of "--zone"'),
    (["-c", "x", "--by", "a,,b", "y"], '"a,,b" is no value of "--by"'),
    (["-c", "x", "--action", "Buy", "y"], '"Buy" is no value of "--action"'),
    (["-c", "/nowhere/x", "y"], "cannot open"),
])
def test_wrong_usage(arguments, why):
    said = backtest(*arguments)
    assert said.code == 2 and said.out == ""
    assert why in said.errors[0]


def test_files_that_are_not_there(bench):
    conf = bench.write("policy.conf", POLICY)
    said = backtest("-c", conf, bench.folder / "none")
    assert said.code == 2 and "cannot open" in said.errors[0]
    said = backtest("-c", conf, bench.folder)
    assert (said.code, said.out) == (2, "") and "is a folder" in said.errors[0]
    said = backtest("-c", conf, "--decisions", "/nowhere/x", "/dev/null")
    assert said.code == 2 and "cannot open" in said.errors[0]
    said = backtest("-c", conf, "--decisions", "/dev/full", "-",
                    stdin=lines_of(buy(n) for n in range(99)).encode())
    assert said.code == 2 and "cannot write" in said.errors[-1]


def test_the_help_tells_every_option():
    said = backtest("--help")
    assert said.code == 0 and said.errors == []
    assert max(map(len, said.out.splitlines())) <= 80
    source = (ROOT / "module" / "ctl" / "backtest" /
              "ig_ctl_backtest_options.c").read_text()
    options = re.findall(r'^    \{ "(--?[a-z]+)", ', source, re.M)
    assert len(options) > 12
    for option in set(options) - {"--conf"}:
        assert f"\n{option} " in said.out or f" {option} " in said.out


def test_a_progress_bar_on_a_terminal_only(folder):
    (folder / "policy.conf").write_text(POLICY)
    (folder / "events").write_text(lines_of(buy(n) for n in range(5000)))
    command = [CTL, "backtest", "-c", folder / "policy.conf",
               folder / "events"]
    terminal, end = pty.openpty()
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=end,
                              timeout=60, check=False)
        os.close(end)
        said = b""
        while not said.endswith(b"at most\r\n"):
            said += os.read(terminal, 65536)
    finally:
        os.close(terminal)
    assert done.returncode == 0
    assert re.search(rb"\r\[#* *\] +\d+ %  \d+ events \r", said)
    assert b"\r" not in done.stdout

    said = subprocess.run(command, capture_output=True, timeout=60,
                          check=False)
    assert said.stdout == done.stdout
    assert b"\r" not in said.stderr and said.stderr.count(b"\n") == 1


def test_no_events_at_all(bench):
    report = bench(POLICY, [], "--label", "fraud", "--by", "account")
    assert report["events"] == 0 and report["groups"] == 0
    assert bench.text(POLICY, []).code == 0


def test_options_behind_files_and_files_that_begin_with_a_dash(folder):
    (folder / "policy.conf").write_text(POLICY)
    (folder / "-x").write_text(lines_of([buy(0)]))
    said = backtest("--json", "-c", "policy.conf", "--", "-x", cwd=folder)
    assert json.loads(said.out)["events"] == 1
    said = backtest("./-x", "--conf=policy.conf", "--json", cwd=folder)
    assert json.loads(said.out)["events"] == 1
