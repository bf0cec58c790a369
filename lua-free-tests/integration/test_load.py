"""integrityctl load: after it, live calls are decided as if nginx had lived
through the history; over both stores."""

import gzip
import json
import subprocess
import threading
import time

import pytest

from harness.settings import CTL, wait_until
from load_place import (DAY, FIELDS, LIVE, OTHER, POLICY, WHY, Cutter, at,
                        by_name, call, expected, history, load, place,  # noqa: F401
                        refused, run, same_as_lived, store, warm,  # noqa: F401
                        whole_history, write)


def test_as_if_it_had_lived_through_it(place, store, folder):  # noqa: F811
    server = place(store)
    events = whole_history()

    before = call(server, OTHER)
    assert before["counter"]["first"] is None
    assert before["counter"]["plain"] == 1

    said = load(server, write(folder / "events.jsonl", events))
    assert said["events"] == len(events)
    counters = by_name(said)
    assert [name for name, counter in counters.items()
            if counter["writes"] == 0] == []
    assert counters["banned"]["keys"] == 1
    assert not [name for name, counter in counters.items()
                if "warm_up_until" in counter]
    assert {counter["since"] for counter in counters.values()} == {
        said["from"]}

    others = [before, *warm(server, OTHER)]
    live = [(event, call(server, event)) for event in LIVE * 2]
    lived = events + [{**OTHER, "time": at(line)} for line in others]
    same_as_lived(folder, lived, live)

    # who was banned in the past still is
    assert live[3][1]["decision"] == "deny"
    assert live[3][1]["list"] == ["banned"]

    begin, end = server.audit_lines("load")
    assert (begin["op"], end["op"]) == ("begin", "end")
    assert begin["load"] == end["load"]
    assert (begin["events"], begin["writes"]) == (len(events), said["writes"])
    assert (begin["since"], begin["until"]) == (said["from"], said["until"])
    assert (begin["by"], begin["reason"]) == ("ada", "before the season")
    text = server.audit_path.read_text() + server.error_log
    assert '"a1"' not in text


def test_twice_is_once(place, store, folder):  # noqa: F811
    server = place(store)
    events = whole_history()
    path = write(folder / "events.jsonl", events)
    load(server, path)
    again = load(server, path)
    assert (again["writes"], again["events"]) == (0, 0)
    assert {entry["left"] for entry in again["counters"]} == {"known"}
    assert len(server.audit_lines("load")) == 2
    others = warm(server, OTHER)
    same_as_lived(folder, events + [{**OTHER, "time": at(line)}
                                    for line in others],
                  [(LIVE[0], call(server, LIVE[0]))])


def test_older_events_come_later(place, store, folder):  # noqa: F811
    """A second load adds what is older than the first one."""
    server = place(store)
    events = whole_history()
    middle = events[-1]["time"] - 20 * DAY
    load(server, write(folder / "new.jsonl", [
        event for event in events if event["time"] >= middle]))
    said = load(server, write(folder / "events.jsonl", events), "--until",
                middle - .001)
    assert said["writes"] > 20
    others = warm(server, OTHER)
    line = call(server, LIVE[0])
    _, counters = expected(folder, events + [
        {**OTHER, "time": at(other)} for other in others]
        + [{**LIVE[0], "time": at(line)}])
    for name in ("plain", "year", "exactly", "devices", "total", "mean",
                 "first"):
        assert line["counter"][name] == pytest.approx(counters[name],
                                                      abs=.002), name


@pytest.mark.parametrize("op, number, when, again", [
    ("load_write", 2, "after", False), ("load_end", 1, "after", False),
    ("load_write", 2, "after", True)])
def test_interrupted(place, store, folder, op, number, when, again):  # noqa: F811
    """What a load that was cut leaves behind, the same load completes."""
    server = place(store)
    events = whole_history(900, accounts=40)
    path = write(folder / "events.jsonl", events)
    cutter = Cutter(folder / "cut.sock", server, op, number, when, again)
    code, out, err = run(server, path, sock=cutter.path)
    if again:
        assert code == 0, err
    else:
        assert code != 0 and out == ""
        if op == "load_write":
            assert "run the same again" in err
            # until it is whole, unknown is unknown
            assert call(server, OTHER)["counter"]["first"] is None
            # and nobody else may load
            other = write(folder / "other.jsonl", events[:-5])
            assert "another load ended at batch" in refused(server, other)
        said = load(server, path)
        assert bool(said["resumed"]) == (op == "load_write")
    others = warm(server, OTHER)
    lived = events + [{**OTHER, "time": at(line)}
                      for line in server.audit_lines("decision")]
    assert len(lived) >= len(events) + len(others)
    live = [(event, call(server, event)) for event in LIVE]
    same_as_lived(folder, lived, live)


def test_given_up(place, store, folder):  # noqa: F811
    server = place(store)
    events = whole_history(900, accounts=40)
    cutter = Cutter(folder / "cut.sock", server, "load_write", 2, "before")
    run(server, write(folder / "events.jsonl", events), sock=cutter.path)
    other = write(folder / "other.jsonl", events[:-5])
    assert "--replace" in refused(server, other)
    said = load(server, other, "--replace")
    assert said["resumed"] == 0
    assert load(server, other)["writes"] == 0


def test_live_calls_go_on_meanwhile(place, store, folder):  # noqa: F811
    """Two workers count while history comes in: nothing is lost."""
    server = place(store, workers=2)
    events = whole_history(900, accounts=40)
    event = {**LIVE[0], "account": "a1"}
    done = threading.Event()
    sent = []

    def crowd():
        while not done.is_set():
            body = {name: event[name] for name in ("account", "product",
                                                   "rating", "content")}
            assert server.post("/", json=body, headers={
                "X-Action": "review", "X-Device": "d1"}).status_code < 500
            sent.append(1)

    worker = threading.Thread(target=crowd)
    worker.start()
    try:
        wait_until(lambda: len(sent) > 3, what="calls")
        load(server, write(folder / "events.jsonl", events))
        here = len(sent)
        wait_until(lambda: len(sent) > here + 3, what="calls")
    finally:
        done.set()
        worker.join()

    def nothing_lost():
        line = call(server, event)
        _, counters = expected(folder, events + [
            {**event, "time": at(entry)}
            for entry in server.audit_lines("decision")])
        return all(line["counter"][name] == pytest.approx(counters[name],
                                                          abs=.002)
                   for name in ("year", "exactly", "devices", "total", "mean"))

    # with Redis a worker may take ten seconds to notice
    wait_until(nothing_lost, what="all of both", timeout=15)


def test_the_other_node_knows_too(place, redis, folder):  # noqa: F811
    """It has noted what the bucket before stood at: that is wrong now."""
    line = f"integrity_redis {redis()} timeout=5s;"
    one = place(line)
    two = place(line)
    two.secret_path.write_bytes(one.secret_path.read_bytes())
    two.reload()
    # the note is taken once the bucket is a second old
    wait_until(lambda: time.time() % 3600 > 1.5, what="the hour")
    for _ in range(3):
        call(two, LIVE[0])
    hour = time.time() // 3600 * 3600
    events = [{**LIVE[0], "time": hour - 30 - n} for n in range(5)]
    events += [{**OTHER, "time": time.time() - 60}]
    events.sort(key=lambda event: event["time"])
    load(one, write(folder / "events.jsonl", events), "--until",
         time.time() - 1)

    def caught_up():
        line = call(two, LIVE[0])
        _, counters = expected(folder, events + [
            {**LIVE[0], "time": at(entry)}
            for entry in two.audit_lines("decision")])
        return line["counter"]["plain"] == pytest.approx(counters["plain"],
                                                         abs=.002)

    wait_until(caught_up, what="the other node", timeout=15)


def test_it_survives_a_reload(place, store, folder):  # noqa: F811
    server = place(store)
    events = whole_history()
    path = write(folder / "events.jsonl", events)
    load(server, path)
    server.reload()
    assert load(server, path)["writes"] == 0
    others = warm(server, OTHER)
    same_as_lived(folder, events + [{**OTHER, "time": at(line)}
                                    for line in others],
                  [(LIVE[0], call(server, LIVE[0]))])


def test_another_policy_or_secret_is_refused(place, folder):  # noqa: F811
    server = place("")
    path = write(folder / "events.jsonl", whole_history())
    other = folder / "other.conf"
    other.write_text(POLICY.replace("365d", "364d")
                     + f"integrity_secret {server.secret_path};")
    said = refused(server, path, conf=other)
    assert "nginx runs another policy" in said
    assert server.audit_lines("chain_open")[0]["policy"] in said
    secret = folder / "other.key"
    secret.write_text("k1:" + "A" * 43 + "=\n")
    assert "nginx has another secret" in refused(server, path, "--secret",
                                                 secret)
    assert not server.audit_lines("load")
    assert load(server, path)["writes"] > 0


def test_a_dry_run_writes_nothing(place, store, folder):  # noqa: F811
    server = place(store)
    path = write(folder / "events.jsonl", whole_history())
    said = load(server, path, "--dry-run", why=())
    assert said["dry_run"] is True and said["writes"] > 100
    assert not server.audit_lines("load")
    assert load(server, path)["writes"] == said["writes"]


def test_a_hole_before_nginx_began(place, folder):  # noqa: F811
    server = place("")
    until = time.time() - 2 * DAY
    path = write(folder / "events.jsonl", history(until=until))
    said = refused(server, path)
    assert "would pass for never" in said and "--until" in said
    assert load(server, path, "--until", time.time())["events"] == 400


def test_what_is_no_history(place, folder):  # noqa: F811
    server = place("")
    empty = folder / "empty.jsonl"
    empty.write_text("")
    assert "there are no events" in refused(server, empty)
    events = whole_history()
    lines = [json.dumps(event) for event in events]
    lines[5:5] = ["{", "[]", '{"time":1}', '{"time":"soon","action":"a"}']
    path = folder / "events.jsonl"
    path.write_text("\n".join(lines))
    assert "no JSON" in refused(server, path, "--strict")
    cut = folder / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(path.read_bytes())[:-400])
    assert "nothing was loaded" in refused(server, cut)
    assert "cannot open" in refused(server, folder / "none", code=2)
    assert not server.audit_lines("load")
    whole = folder / "whole.jsonl.gz"
    whole.write_bytes(gzip.compress(path.read_bytes()))
    said = load(server, whole, "--dry-run")
    assert (said["events"], said["wrong"]) == (len(events), 4)
    assert load(server, "-", stdin=path.read_text())["events"] == len(events)


def test_from_our_own_log(place, store, folder):  # noqa: F811
    """Counters by fields that are not private; what was decided then counts."""
    policy = FIELDS + """
        integrity_counter  orders  on=order key=product window=30d;
        integrity_counter  exactly on=order key=product window=30d exact;
        integrity_counter  people  on=order key=product window=30d distinct=account;
        integrity_counter  mine    on=order key=account window=30d;
        integrity_rule  many  "orders > 3 && exactly + people + mine > 0" then=throttle;
    """
    first = place("", policy)
    order = {"action": "order", "account": "ann", "product": "p", "device": "d"}
    for _ in range(5):
        call(first, order)
    decided = [line["decision"] for line in first.audit_lines("decision")]
    assert decided == ["allow"] * 3 + ["throttle"] * 2

    # nothing of it was decided by this one
    second = place(store, policy.replace("then=throttle", "score=1"))
    said = load(second, first.audit_path)
    assert {name: counter["left"] for name, counter in by_name(said).items()
            } == {"orders": "no", "exactly": "no", "people": "pseudonyms",
                  "mine": "pseudonyms"}
    counters = call(second, order)["counter"]
    assert (counters["orders"], counters["exactly"], counters["people"],
            counters["mine"]) == (4, 4, 1, 1)


def test_redis_goes_away(place, redis, folder, fake_redis):  # noqa: F811
    """It ends in the middle of a batch: that one is in Redis whole or not."""
    real = redis()
    ends = []

    def handler(command, _):
        if command[0] == b"ZADD":
            ends.append(1)
            if len(ends) == 500:
                raise EOFError

    fake = fake_redis(upstream=real, handler=handler)
    server = place(f"integrity_redis {fake} timeout=5s;")
    events = whole_history(900, accounts=40)
    path = write(folder / "events.jsonl", events)
    server.declare(log=[r"\[error\] .*redis"])
    assert "the store did not answer" in refused(server, path)
    wait_until(lambda: run(server, path, "--dry-run")[0] == 0,
               what="the connection", timeout=10)
    assert load(server, path)["writes"] > 0
    others = warm(server, OTHER)
    same_as_lived(folder, events + [{**OTHER, "time": at(line)}
                                    for line in others],
                  [(LIVE[0], call(server, LIVE[0]))])
    keys = real.client().keys("*")
    assert not [key for key in keys if real.client().ttl(key) == -1]
    assert not [key for key in keys if b"a1" in key and b"ig:1:" not in key]


def test_no_redis_at_all(place, redis, folder):  # noqa: F811
    server_redis = redis()
    server = place(f"integrity_redis {server_redis} timeout=1s;")
    server.declare(log=[r"\[error\] .*redis"])
    server_redis.stop()
    path = write(folder / "events.jsonl", whole_history())
    assert "the store does not answer" in refused(server, path)
    assert not server.audit_lines("load")


def test_tenants(place, store, folder):  # noqa: F811
    server = place(store)
    events = whole_history()
    load(server, write(folder / "events.jsonl", events), "--tenant", "north")
    assert server.audit_lines("load")[0]["tenant"] == "north"
    south = call(server, LIVE[0], **{"X-Tenant": "south"})
    north = call(server, LIVE[0], **{"X-Tenant": "north"})
    assert south["counter"]["year"] == 1 < north["counter"]["year"]


@pytest.mark.parametrize("arguments, words", [
    ((), "no configuration"), (("-c", "x"), "no file of events"),
    (("-c", "x", "e"), "--reason TEXT is missing"),
    (("-c", "x", "e", "--reason", "r"), "--by NAME is missing"),
    (("-c", "x", "e", *WHY), "--socket unix:PATH is missing"),
    (("-c", "x", "e", *WHY, "--from", "soon"), '"soon" is no time for --from'),
    (("-c", "x", "e", *WHY, "--zone", "-1"), '"-1" is no size for --zone'),
    (("-c", "x", "e", *WHY, "--action", "A"), '"A" is no name of an action'),
    (("-c", "x", "e", *WHY, "--label", "x"), 'unknown option "--label"'),
    (("-c", "/nowhere", "e", *WHY, "--socket", "unix:/x"), "/nowhere"),
])
def test_wrong_arguments(arguments, words):
    done = subprocess.run([CTL, "load", *arguments], capture_output=True,
                          text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
