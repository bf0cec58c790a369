"""integrityctl backtest: what it reads, decides and says."""

import gzip
import json
import os
import pty
import random
import re
import subprocess
from itertools import product

import pytest

from harness.backtest import Bench, backtest, lines_of, rules
from harness.settings import CTL, DATA, PATIENCE, ROOT, SANITIZED
from model import MISSING, Counter, Expr, Model, Policy, Rule

START = 1_700_000_000

POLICY = """
    integrity_field account $account private;
    integrity_field amount json:/amount;
    integrity_counter hits_1h on=buy key=account window=1h exact;
    integrity_threshold limit 2;
    integrity_rule often "hits_1h > limit" on=buy score=60;
    integrity_rule dear "amount >= 100" on=buy then=deny;
    integrity_rule tried "amount >= 50" on=buy score=5 dry_run;
    integrity_scores hold=50;
"""


@pytest.fixture
def bench(folder):
    return Bench(folder)


def buy(at, account="ann", **members):
    return {"time": START + at, "action": "buy", "account": account,
            **members}


# Decisions

def test_what_is_counted_and_decided(bench):
    events = [buy(0), buy(10), buy(20), buy(30, amount=100),
              buy(40), buy(50, "bob", amount=70), buy(3620)]
    assert bench.decisions(POLICY, events) == [
        ("allow", 0, []), ("allow", 0, []), ("hold", 60, ["often"]),
        ("deny", 60, ["often", "dear", "tried"]),
        # the denied one was taken back
        ("hold", 60, ["often"]), ("allow", 0, ["tried"]),
        # of the first hour, what was at +40 is left
        ("allow", 0, [])]
    report = bench(POLICY, events)
    found = report["conf"]["events"]
    assert report["events"] == found["n"] == 7
    assert report["first"] == "2023-11-14T22:13:20.000Z"
    assert report["last"] == "2023-11-14T23:13:40.000Z"
    assert found["decision"] == {"allow": 4, "hold": 2, "throttle": 0,
                                 "deny": 1}
    assert found["would"] == found["decision"]
    often, dear, tried = (rules(report)[name]
                          for name in ("often", "dear", "tried"))
    assert (often["fired"], often["alone"]) == (3, 2)
    assert often["decision"] == {"allow": 0, "hold": 2, "throttle": 0,
                                 "deny": 1}
    assert (dear["fired"], dear["alone"], dear["unknown"]) == (1, 0, 5)
    assert tried["dry_run"] and (tried["fired"], tried["alone"]) == (2, 1)
    assert "label" not in found


def test_rules_in_dry_run_would_do_something(bench):
    report = bench(POLICY.replace("score=5 dry_run", "then=hold dry_run"),
                   [buy(0, amount=50)])
    assert report["conf"]["events"]["decision"]["allow"] == 1
    assert report["conf"]["events"]["would"]["hold"] == 1


def test_a_call_that_was_not_done_does_not_complete(bench):
    policy = """
        integrity_field account $account;
        integrity_field ticket $upstream_http_x_ticket on=buy;
        integrity_counter done on=buy key=account window=1h exact
            count=completed;
        integrity_counter tickets on=buy key=account window=1h distinct=ticket
            count=completed;
        integrity_rule again "done >= 1" then=hold;
        integrity_rule twice "tickets >= 2" score=1;
    """
    # what comes with the answer is known at the end only
    assert bench.decisions(policy, [
        buy(0, status=404, ticket="x"), buy(1, status="201", ticket="a"),
        buy(2, ticket="a"), buy(3, ticket="b"), buy(4)]) == [
            ("allow", 0, []), ("allow", 0, []), ("hold", 0, ["again"]),
            ("hold", 0, ["again"]), ("hold", 1, ["again", "twice"])]


def test_arrays_are_sets_whatever_the_source_is(bench):
    policy = """
        integrity_field account $account;
        integrity_field sku $sku;
        integrity_counter sku_1h on=buy key=sku window=1h exact;
        integrity_counter skus on=buy key=account window=1h distinct=sku;
        integrity_rule hot "sku_1h >= 2" score=1;
        integrity_rule many "skus >= 4" score=2;
    """
    assert bench.decisions(policy, [
        buy(0, sku=["a", "b"]), buy(1, sku=["c", "c", 7]), buy(2, sku="7"),
        buy(3, "bob", sku=[str(n) for n in range(40)]), buy(4, sku=[])]) == [
            ("allow", 0, []), ("allow", 2, ["many"]),
            ("allow", 3, ["hot", "many"]), ("allow", 3, ["hot", "many"]),
            ("allow", 2, ["many"])]


def test_addresses_become_networks(bench):
    policy = """
        integrity_field network $remote_addr net=24/56;
        integrity_counter hits on=buy key=network window=1h exact;
        integrity_rule many "hits >= 2" score=1;
    """
    events = [buy(0, network=address) for address in (
        "192.0.2.1", "192.0.2.99", "192.0.3.1", "192.0.3.0/24",
        "2001:db8::1", "2001:db8:0:ff::2", "p:k1:abc", "p:k1:abc")]
    assert [score for _, score, _ in bench.decisions(policy, events)] == [
        0, 1, 0, 1, 0, 1, 0, 1]


def test_warm_up_begins_with_the_first_event(bench):
    policy = """
        integrity_field account $account;
        integrity_counter seen on=buy key=account window=10d first warmup=1h;
        integrity_rule new "seen == 0" score=1;
    """
    events = [buy(0), buy(3599, "bob"), buy(3600, "cyd"), buy(3601)]
    assert [one[1] for one in bench.decisions(policy, events)] == [0, 0, 1, 0]
    assert rules(bench(policy, events))["new"]["unknown"] == 2
    assert [one[1] for one in bench.decisions(policy, events, "--warm")] == [
        1, 1, 1, 0]


def test_a_list_that_rules_write(bench):
    policy = """
        integrity_field account $account;
        integrity_field amount json:/amount;
        integrity_list banned key=account;
        integrity_rule dear "amount > 9" then=deny add=banned:1h;
        integrity_rule banned "banned" then=deny;
    """
    assert [one[2] for one in bench.decisions(policy, [
        buy(0, amount=10), buy(1, amount=1), buy(2, "bob", amount=1),
        buy(3601, amount=1)])] == [["dear"], ["banned"], [], []]


def test_near_duplicate_texts(bench):
    policy = """
        integrity_field account $account;
        integrity_field content json:/content text;
        integrity_counter copies on=buy window=1h similar=content
            distinct=account;
        integrity_rule copied "copies >= 2" score=1;
    """
    praise = "the best watch that I have ever had on my wrist"
    assert [one[1] for one in bench.decisions(policy, [
        buy(0, content=praise), buy(1, content=praise),
        buy(2, "bob", content=praise.upper() + "!"),
        buy(3, "cyd", content="nothing of that kind was ever said by me")])
    ] == [0, 0, 1, 0]


EXPRS = [Expr("compare", (name, relation, number))
         for name, relation, number in (
             ("hits", ">", 2), ("exact", ">=", 3), ("devices", ">", 2),
             ("spent", ">", 40), ("mean", "<", 7), ("age", ">", 500),
             ("last", "<", 300), ("amount", ">", 15))]


def generated(seed):
    """A policy and events, of a reproducible kind."""
    rng = random.Random(seed)
    counters = [
        Counter("hits", window=rng.choice([60, 600]), on=("x", "y")),
        Counter("exact", "exact", 300, max=rng.choice([3, None]), on=("x",),
                when=rng.choice(["accepted", "attempts", "completed"])),
        Counter("devices", "distinct", 900, value="device", on=("*",)),
        Counter("spent", "sum", 600, value="amount", on=("x", "y")),
        Counter("mean", "mean", 600, ("device",), "amount", on=("y",)),
        Counter("age", "first", 3000, on=("*",), warmup=rng.choice([0, 900])),
        Counter("last", "last", 600, ("account", "device"), on=("x",),
                warmup=0, when=rng.choice(["accepted", "completed"])),
        Counter("late", "exact", 600, on=("*",),
                cond=Expr("compare", ("age", "<", 100))),
        Counter("refused", "exact", 900,
                on=("decision.deny", "decision.throttle")),
    ]
    chosen = [*rng.sample(EXPRS, 5), Expr("compare", ("late", ">", 1)),
              Expr("has", ("last",)), Expr("compare", ("refused", ">", 3))]
    policy = Policy(
        ["integrity_field account $account;",
         "integrity_field device $device private;",
         "integrity_field amount json:/amount;"],
        counters,
        [Rule(f"r{i}", expr, rng.choice([*[None] * 4, "hold", "throttle"]),
              rng.choice([-5, 10, 30]), dry_run=rng.random() < .2,
              on_error=rng.choice([None, None, "hold"]))
         for i, expr in enumerate(chosen)],
        {"hold": 20, "throttle": 40, "deny": 60})
    at, events = 0, []
    for _ in range(400):
        at += rng.choice([0, 1, 7, 30, 200])
        event = buy(at + rng.choice([0, 0.25]), rng.choice("abcdeg"))
        event["action"] = rng.choice("xxy")
        for name, values in (("device", ["d", "e", "f", ""]),
                             ("amount", [1, 2.5, "20", 10]),
                             ("status", [200, 201, 500])):
            if rng.random() < .8:
                event[name] = rng.choice(values)
        events.append(event)
    events.sort(key=lambda event: event["time"])
    return policy, events


@pytest.mark.parametrize("seed", range(12))
def test_decisions_are_the_model_s(bench, seed):
    """Counters, decisions and scores of a plain model in Python."""
    policy, events = generated(seed)
    model, expected = Model(policy), []
    for number, event in enumerate(events):
        fields = {name: event.get(name) or MISSING
                  for name in ("account", "device", "amount")}
        call = model.call(round(event["time"] * 1000), f"{number:026}",
                          event["action"], fields)
        expected.append((call.counted, call.score))
        model.end(call, 200 <= event.get("status", 200) < 300)
    found = [one[:2] for one in bench.decisions(str(policy), events)]
    assert found == expected
    assert len({decision for decision, _ in expected}) > 1


# Reading

def test_times_in_every_form(bench):
    policy = """
        integrity_field account $account;
        integrity_counter last on=buy key=account window=1h last warmup=0;
        integrity_rule half "last == 0.5" score=1;
    """
    times = [START, START + 0.5, f"{START + 1}", "2023-11-14T22:13:21.5Z",
             "2023-11-14 23:13:22+01:00", "2023-11-14T22:13:22.500000001z"]
    assert [one[1] for one in bench.decisions(policy, [
        {"time": time, "action": "buy", "account": "a"} for time in times])
    ] == [0, 1, 1, 1, 1, 1]


def test_gzip_plain_and_standard_input(folder):
    conf = folder / "policy.conf"
    conf.write_text(POLICY)
    text = lines_of(buy(n) for n in range(1000)).encode()
    plain, packed = folder / "events", folder / "events.gz"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text[:5000]) + gzip.compress(text[5000:]))
    said = [backtest("-c", conf, plain), backtest("-c", conf, packed),
            backtest("-c", conf, "-", stdin=text),
            backtest("-c", conf, "-", stdin=packed.read_bytes()),
            # no newline at the end
            backtest("-c", conf, "-", stdin=text[:-1])]
    assert {one.code for one in said} == {0}
    assert len({one.out for one in said}) == 1
    assert "\n1000 events" not in said[0].out
    assert said[0].out.startswith("1000 events from 2023-11-14T22:13:20.000Z")
    assert said[0].speed and said[0].errors == []


def test_files_are_merged_by_time(folder):
    conf = folder / "policy.conf"
    conf.write_text(POLICY)
    for name, start in (("one", 0), ("two", 1), ("three", 2)):
        (folder / name).write_text(lines_of(
            buy(n, name) for n in range(start, 9, 3)))
    out = folder / "decisions"
    said = backtest("-c", conf, "--decisions", out, folder / "two",
                    folder / "one", folder / "three")
    assert said.code == 0
    times = [json.loads(line)["time"] for line in out.read_text().splitlines()]
    assert times == sorted(times) and len(set(times)) == 9
    assert "earlier" not in said.out


def test_events_out_of_order_are_told(bench):
    report = bench(POLICY, [buy(10), buy(3), buy(9.5), buy(11)])
    assert report["backwards"] == 2
    said = bench.text(POLICY, [buy(10), buy(3), buy(9.5), buy(11)])
    assert "2 events are earlier than one before them, by up to 7.000 s" \
        in said.out


WRONG = [
    ("{", "no JSON object", "is no JSON, or has a member twice"),
    ('{"time":1,"time":2}', "no JSON object", "is no JSON, or has"),
    ("[1]", "no JSON object", "is no JSON object"),
    ('{"action":"buy"}', "no time", 'there is no "time"'),
    ('{"time":true,"action":"buy"}', "no time", '"time" is neither'),
    ('{"time":"yesterday","action":"buy"}', "no time", '"time" is neither'),
    ('{"time":1700000000000,"action":"buy"}', "no time", '"time" is neither'),
    ('{"time":1}', "no action", 'there is no "action"; --action NAME'),
    ('{"time":1,"action":"Buy!"}', "no action", '"action" is no name'),
    ('{"time":1,"action":"buy","account":{}}', "a field without a value",
     '"account" is an object'),
    ('{"time":1,"action":"buy","account":[[1]]}', "a field without a value",
     '"account" is an object'),
    ('{"time":1,"action":"buy","account":['
     + ",".join(map(str, range(65))) + "]}", "a field without a value",
     '"account" is an object'),
    ('{"time":1,"action":"' + "x" * 1100000 + '"}', "too long",
     "is longer than 1 MiB"),
]


@pytest.mark.parametrize("line, kind, why", WRONG,
                         ids=[line[:40] for line, _, _ in WRONG])
def test_wrong_lines_are_told_and_counted(bench, line, kind, why):
    before = lines_of([buy(0)])
    events = before + line + "\n\n" + lines_of([buy(1)])
    said = bench.text(POLICY, events)
    path = bench.folder / "events.jsonl"
    assert said.code == 0
    assert len(said.errors) == 1
    assert said.errors[0].startswith(f"{path}:2: {why}")
    assert said.out.startswith("2 events ")
    assert f"\nskipped 1 lines: {kind}\n" in said.out
    assert "\nskipped 1 lines: blank\n" in said.out

    report = bench(POLICY, events)
    assert report["events"] == 2
    assert report["skipped"] == {"blank": 1, kind: 1}

    said = bench.text(POLICY, events, "--strict")
    assert said.code == 1 and said.out == ""
    assert said.errors[0].startswith(f"{path}:2: {why}")


@pytest.mark.skipif(SANITIZED, reason="measures memory")
def test_a_line_without_end_takes_no_memory(folder):
    (folder / "policy.conf").write_text(POLICY)
    with gzip.open(folder / "events.gz", "wb", 1) as events:
        for _ in range(200):
            events.write(b"x" * 1000000)
        events.write(b"\n" + lines_of([buy(0)]).encode())
    said = backtest("-c", folder / "policy.conf", folder / "events.gz")
    assert said.code == 0 and said.out.startswith("1 events ")
    assert "events.gz:1: is longer than 1 MiB" in said.errors[0]
    assert int(re.search(r"; (\d+) MiB", said.speed).group(1)) < 100


def test_a_wrong_line_changes_no_counter(bench):
    policy = POLICY.replace("limit 2", "limit 1")
    events = [buy(0), buy(1, amount={}), buy(2)]
    assert bench.decisions(policy, events)[-1] == ("hold", 60, ["often"])
    policy = POLICY
    events = [buy(0), buy(1, amount={}), buy(2)]
    assert bench.decisions(policy, events)[-1] == ("allow", 0, [])


def test_not_every_wrong_line_is_told(bench):
    said = bench.text(POLICY, "x\n" * 50)
    assert len(said.errors) == 21 and "only counted" in said.errors[-1]
    assert "skipped 50 lines: no JSON object" in said.out


def test_a_damaged_file(folder):
    conf = folder / "policy.conf"
    conf.write_text(POLICY)
    rng = random.Random(1)
    packed = gzip.compress(lines_of(
        buy(n, f"a{rng.random()}") for n in range(20000)).encode())
    for damaged, why in ((packed[:len(packed) // 2],
                          "ends within compressed data"),
                         (packed[:-8] + b"\0" * 8, "incorrect")):
        path = folder / "events.gz"
        path.write_bytes(damaged)
        said = backtest("-c", conf, path)
        assert said.code == 1
        assert len([line for line in said.errors if why in line]) == 1
        # what could be read is shown
        assert re.match(r"\d\d+ events ", said.out)


def test_an_action_for_all(bench):
    events = [{"time": START, "account": "a", "amount": 100}]
    assert bench.decisions(POLICY, events, "--action", "buy") == [
        ("deny", 0, ["dear", "tried"])]


def test_unclassified_events_are_counted(bench):
    events = [buy(0), {"time": START, "action": "sell", "account": "a"}]
    report = bench(POLICY, events)
    assert report["conf"]["events"]["unclassified"] == 1
    assert report["conf"]["events"]["n"] == 2
    said = bench.text(POLICY, events)
    assert "1 events are unclassified" in said.out


def test_a_full_store_is_told(folder):
    conf = folder / "policy.conf"
    conf.write_text(POLICY)
    events = lines_of(buy(n / 100, f"a{n}") for n in range(20000)).encode()
    said = backtest("-c", conf, "-", "--zone", "1m", stdin=events)
    assert said.code == 0
    assert len(said.errors) == 1 and "the store was full" in said.errors[0]
    assert "--zone" in said.errors[0]
    said = backtest("-c", conf, "-", "--zone", "8m", stdin=events)
    assert said.errors == []


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


# The audit log

def test_the_audit_log_is_decided_again_as_it_was(nginx, folder, app):
    """What nginx decided from its events, backtest does from their record."""
    app.answer(201)
    policy = """
        integrity_field account $http_x_account private;
        integrity_field device $http_x_device private;
        integrity_field rating json:/rating;
        integrity_counter hits on=review.create key=account window=1h;
        integrity_counter exact on=review.create key=account window=1h exact;
        integrity_counter farm on=review.create key=device window=1h
            distinct=account;
        integrity_counter tries on=review.create key=account window=1h
            count=attempts;
        integrity_counter mean on=review.create key=device window=1h
            mean=rating;
        integrity_counter last on=review.create key=account,device window=1h
            last count=completed warmup=0;
        integrity_rule often "hits > 3" then=throttle;
        integrity_rule farm "farm > 2" score=60;
        integrity_rule far "abs(rating - mean) > 2" score=10;
        integrity_rule known "last < 600" score=-10;
        integrity_rule hammer "tries > 6" then=deny;
        integrity_scores hold=50;
    """
    server = nginx(
        http="integrity_zone integrity:4m; integrity_secret %%SECRET%%; "
             "integrity_audit %%AUDIT%%;" + policy,
        server="location / { integrity on; integrity_action review.create; "
               "proxy_pass http://%%APP%%; }", APP=app)
    rng = random.Random(4)
    for _ in range(60):
        server.post("/", json={"rating": rng.randint(1, 5)}, headers={
            "X-Account": rng.choice("abcdefghij"),
            "X-Device": rng.choice("xyz")})
    recorded = [line for line in server.wait_audit(60)
                if line["kind"] == "decision"]
    assert {line["decision"] for line in recorded} == {
        "allow", "hold", "throttle", "deny"}
    server.quit()
    out = folder / "decisions"
    conf = folder / "policy.conf"
    conf.write_text(policy)
    said = backtest("-c", conf, "--decisions", out, "--json",
                    server.audit_path)
    assert said.code == 0 and said.errors == []
    found = [(line["decision"], line["score"], line["rule"])
             for line in map(json.loads, out.read_text().splitlines())]
    assert found == [(line["decision"], line["score"],
                      [rule["name"] for rule in line["rule"]])
                     for line in recorded]
    assert json.loads(said.out)["skipped"]["no decision"] > 60


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
    said = backtest("-c", conf, "--decisions", "/nowhere/x", "/dev/null")
    assert said.code == 2 and "cannot open" in said.errors[0]
    said = backtest("-c", conf, "--decisions", "/dev/full", "-",
                    stdin=lines_of(buy(n) for n in range(99)).encode())
    assert said.code == 2 and "cannot write" in said.errors[-1]


def test_the_help_tells_every_option():
    said = backtest("--help")
    assert said.code == 0 and said.errors == []
    assert max(map(len, said.out.splitlines())) <= 80
    source = (ROOT / "module" / "ctl" / "ig_ctl_backtest_options.c").read_text()
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


@pytest.mark.alone
def test_a_million_events_in_seconds(folder):
    """359,052 reviews, three counters; docs/signals.md has what it takes."""
    path = DATA / "yelpnyc.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here: its licence is not stated")
    conf = folder / "policy.conf"
    conf.write_text("""
        integrity_counter account_1h on=* key=account window=1h;
        integrity_counter product_7d on=* key=product window=7d;
        integrity_counter product_accounts on=* key=product window=7d
            distinct=account;
        integrity_rule fast "account_1h > 5" then=throttle;
        integrity_rule rush "product_7d > 50 || product_accounts > 40" score=1;
    """)
    said = backtest("-c", conf, "--field", "account,product", path)
    assert said.code == 0
    speed = int(re.search(r": (\d+) a second", said.speed).group(1))
    print(said.speed)
    assert speed > 30000 / PATIENCE
