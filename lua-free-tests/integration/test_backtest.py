"""integrityctl backtest: what it reads, and what it decides."""

import gzip
import json
import random
import re

import pytest

from backtest_place import POLICY, START, buy, generated
from harness.backtest import Bench, backtest, lines_of, rules
from harness.settings import DATA, PATIENCE, SANITIZED
from model import MISSING, Model


@pytest.fixture
def bench(folder):
    return Bench(folder)


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


# How fast

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
