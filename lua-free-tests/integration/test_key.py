"""`integrityctl key`: what a store holds for a key; unblocking a customer."""

import json
import subprocess
import time

import pytest

from harness.settings import CTL, wait_until
from test_lists import HEAD, post, store  # noqa: F401

POLICY = HEAD + """
    integrity_field   text  json:/text  text;
    integrity_list    banned   key=account;
    integrity_counter hits     on=order.create  key=account window=1h;
    integrity_counter burst    on=order.create  key=account window=10m exact;
    integrity_counter shops    on=order.create  key=account window=24h
                               distinct=merchant;
    integrity_counter spent    on=order.create  key=account window=1h
                               sum=amount;
    integrity_counter average  on=order.create  key=account window=1h
                               mean=amount;
    integrity_counter known    on=order.create  key=account window=30d
                               first warmup=0;
    integrity_counter before   on=order.create  key=account window=30d
                               last warmup=0;
    integrity_counter cold     on=order.create  key=account window=30d last;
    integrity_counter refused  on=decision.deny key=account window=1h;
    integrity_counter pair     on=order.create  key=merchant,account window=1h;
    integrity_counter copies   on=order.create  window=1h similar=text;
    integrity_rule    slow     "hits > 3" on=order.create then=throttle;
    integrity_rule    reader   "burst > 1000 || shops > 1000 || known < 0
                                || before < 0" then=hold;
"""

PLACES = """
    listen 127.0.0.1:%%PORT%%;
    listen unix:%%DIR%%/control.sock;
    integrity_action order.create;
    location / { integrity on; integrity_tenant $http_x_tenant;
                 proxy_pass http://%%APP%%; }
    location /read { integrity on; integrity_action reading.create;
                     proxy_pass http://%%APP%%; }
    location = /integrity/control { integrity_control;
                                    allow unix:; deny all; }
"""

WHY = ("--reason", "a bug in their app", "--by", "ada")
BY_ACCOUNT = {"hits", "burst", "shops", "spent", "average", "known", "before",
              "cold", "refused"}


def make(nginx, app, store, **parts):  # noqa: F811
    return nginx(http=POLICY + store, server=PLACES, APP=app, **parts)


def key(server, *arguments, text=False):
    """(exit code, the answer or what was said)."""
    done = subprocess.run(
        [str(CTL), "key", *arguments, *(() if text else ("--json",)),
         "--socket", f"unix:{server.dir}/control.sock"],
        capture_output=True, text=True, timeout=60, check=False)
    assert not (done.stdout and done.stderr)
    if done.stdout.startswith("{"):
        return done.returncode, json.loads(done.stdout)
    return done.returncode, done.stderr or done.stdout


def early():
    """Not at the end of an hour, where buckets turn."""
    wait_until(lambda: time.time() % 3600 < 3590, what="a new hour", timeout=20)


def test_a_customer_is_unblocked(nginx, app, store):  # noqa: F811
    early()
    server = make(nginx, app, store)
    answers = [post(server, "ann", "m1", 10) for _ in range(6)]
    assert answers == [200, 200, 200, 429, 429, 429]
    # from shared memory by now
    assert server.audit_lines("decision")[-1]["evaluation"] == "cached"

    code, said = key(server, "inspect", "hits", "account=ann", *WHY)
    assert code == 0 and said["op"] == "inspect"
    hits = said["counter"]["hits"]
    assert hits["kind"] == "count" and hits["window"] == "1h"
    assert (hits["value"], hits["bucket"], hits["bucket_before"]) == (3, 3, 0)
    assert hits["known"] is True
    # looking changes nothing
    assert post(server, "ann", "m1", 10) == 429

    code, said = key(server, "reset", "hits", "account=ann", *WHY)
    assert code == 0 and said["op"] == "reset"
    assert said["counter"]["hits"]["value"] == 3
    assert [post(server, "ann", "m1", 10) for _ in range(4)] == [
        200, 200, 200, 429]
    code, said = key(server, "reset", "hits", "account=bob", *WHY)
    assert code == 0 and said["counter"]["hits"]["value"] == 0
    assert "until" not in said["counter"]["hits"]

    looked, reset, other = server.audit_lines("key")
    assert (looked["op"], reset["op"]) == ("inspect", "reset")
    for line in looked, reset:
        assert line["counter"] == ["hits"]
        assert (line["by"], line["reason"]) == ("ada", "a bug in their app")
        (denied, *_) = [entry for entry in server.audit_lines("decision")
                        if entry["decision"] == "throttle"]
        assert line["field"]["account"] == denied["field"]["account"]
    assert reset["event"] != looked["event"]
    assert other["event"] == said["event"]
    text = server.audit_path.read_text()
    assert '"ann"' not in text and "ann" not in server.error_log


def test_what_is_seen_is_what_a_rule_reads(nginx, app, store):  # noqa: F811
    early()
    server = make(nginx, app, store)
    for merchant, amount in ("m1", 10), ("m2", 2.5), ("m2", 4):
        assert post(server, "ann", merchant, amount) == 200
    begin = time.time()
    code, said = key(server, "inspect", "--all", "account=ann", *WHY)
    assert code == 0
    seen = said["counter"]
    assert set(seen) == BY_ACCOUNT

    # a call that reads
    assert post(server, "ann", path="/read") == 200
    event = server.wait_audit(4)[-1]
    assert event["counter"]["burst"] == seen["burst"]["value"] == 3
    assert event["counter"]["shops"] == seen["shops"]["value"] == 2

    # the next one that writes counts itself
    assert post(server, "ann", "m3", 1) == 429
    event = server.wait_audit(5)[-1]
    assert event["counter"]["hits"] == seen["hits"]["value"] + 1
    assert event["counter"]["burst"] == seen["burst"]["value"] + 1
    assert event["counter"]["shops"] == seen["shops"]["value"] + 1
    # these are without it
    assert event["counter"]["spent"] == seen["spent"]["value"] == 16.5
    assert event["counter"]["average"] == seen["average"]["value"] == 5.5
    assert abs(event["counter"]["known"] - seen["known"]["value"]) < 5
    assert abs(event["counter"]["before"] - seen["before"]["value"]) < 5

    assert seen["spent"]["bucket"] == seen["average"]["bucket"] == 3
    assert seen["spent"]["sum"] == 16.5 and seen["spent"]["sum_before"] == 0
    assert seen["cold"]["known"] is False and seen["cold"]["value"] is None
    assert seen["cold"]["since"] >= "2026"
    assert seen["refused"]["value"] == 0

    def seconds(text):
        import datetime
        return datetime.datetime.fromisoformat(text[:-1] + "+00:00").timestamp()

    hour = begin // 3600 * 3600
    for name, until in (("hits", hour + 7200), ("burst", begin + 600),
                        ("shops", begin + 86400), ("spent", hour + 7200),
                        ("known", begin + 30 * 86400),
                        ("before", begin + 30 * 86400)):
        assert abs(seconds(seen[name]["until"]) - until) < 10, name
    for name, member in (("burst", "last"), ("shops", "last"),
                         ("known", "first"), ("before", "last")):
        assert abs(seconds(seen[name][member]) - begin) < 10, name


def test_all_counters_of_a_key(nginx, app, store):  # noqa: F811
    server = make(nginx, app, store)
    for number in range(5):
        post(server, "ann", f"m{number}", 10)
    code, said = key(server, "reset", "--all", "account=ann", *WHY)
    assert code == 0 and set(said["counter"]) == BY_ACCOUNT
    (line,) = server.audit_lines("key")
    assert set(line["counter"]) == BY_ACCOUNT
    after = key(server, "inspect", "--all", "account=ann", *WHY)[1]["counter"]
    assert {name for name in after if "until" in after[name]} == set()
    # those of other keys stay
    code, said = key(server, "inspect", "pair", "account=ann", "merchant=m0",
                     *WHY)
    assert code == 0 and said["counter"]["pair"]["value"] == 1
    assert set(key(server, "inspect", "--all", "merchant=m0", "account=ann",
                   *WHY)[1]["counter"]) == {"pair"}
    assert post(server, "ann", "m9", 1) == 200
    event = server.audit_lines("decision")[-1]
    assert event["counter"]["hits"] == event["counter"]["shops"] == 1
    assert event["counter"]["known"] == event["counter"]["spent"] == 0
    assert "before" not in event["counter"]


def test_tenants_are_kept_apart(nginx, app, store):  # noqa: F811
    server = make(nginx, app, store)
    for _ in range(2):
        server.post("/", headers={"X-Account": "ann", "X-Tenant": "de"})
    value = lambda *more: key(  # noqa: E731
        server, "inspect", "hits", "account=ann", *more, *WHY)[1]["counter"][
            "hits"]["value"]
    assert (value(), value("--tenant", "de")) == (0, 2)
    assert server.audit_lines("key")[-1]["tenant"] == "de"


def test_for_people(nginx, app, store):  # noqa: F811
    server = make(nginx, app, store)
    post(server, "ann", "m", 3)
    code, out = key(server, "inspect", "--all", "account=ann", *WHY, text=True)
    assert code == 0
    assert "hits: count, window 1h\n  value          1\n" in out
    assert "cold: last, window 30d\n  value          not known: still" in out
    assert "Recorded as 0" in out and "Forgotten" not in out
    code, out = key(server, "reset", "hits", "account=ann", *WHY, text=True)
    assert code == 0 and out.startswith("Forgotten was:\nhits: count")
    assert "within 10 seconds on others" in out


def test_on_other_nodes(nginx, app, redis):
    early()
    line = f"integrity_redis {redis()} timeout=1s;"
    one, two = make(nginx, app, line), make(nginx, app, line)
    two.secret_path.write_bytes(one.secret_path.read_bytes())
    two.reload()
    for _ in range(6):
        post(two, "ann", "m", 1)
    assert post(one, "ann", "m", 1) == post(two, "ann", "m", 1) == 429
    assert key(one, "reset", "hits", "account=ann", *WHY)[0] == 0
    assert post(one, "ann", "m", 1) == 200
    # only that it was over its limit is noted there, for a second
    wait_until(lambda: post(two, "ann", "m", 1) == 200, what="the other node",
               timeout=3)


def test_the_store_is_down(nginx, app, redis):
    server_redis = redis()
    server = make(nginx, app, f"integrity_redis {server_redis} timeout=1s;")
    for _ in range(4):
        post(server, "ann", "m", 1)
    server.declare(log=[r"\[error\] .*redis"])
    server_redis.stop()
    wait_until(lambda: post(server, "eve", "m", 1) == 200 and server.
               audit_lines("decision")[-1]["evaluation"] == "degraded",
               what="a degraded call")
    for op in "inspect", "reset":
        code, said = key(server, op, "hits", "account=ann", *WHY)
        assert code == 1 and "the store did not answer" in said["error"]
    lines = server.audit_lines("key")
    assert [(line["op"], line.get("failed")) for line in lines] == [
        ("inspect", None), ("inspect", True), ("reset", None), ("reset", True)]
    assert lines[2]["event"] == lines[3]["event"]
    # the local count was forgotten: a degraded call passes
    assert post(server, "ann", "m", 1) == 200


@pytest.mark.parametrize("arguments, words", [
    (("inspect", "none", "account=a"), '"none" is no counter'),
    (("inspect", "banned", "account=a"), '"banned" is a list'),
    (("inspect", "copies", "account=a"), '"copies" is kept by texts'),
    (("reset", "hits", "merchant=m"),
     '"account" is a field of the counter\'s key and has no value'),
    (("reset", "hits", "account="), '"account" is a field'),
    (("reset", "hits", "account=a", "merchant=m"),
     '"merchant" is no field of the counter\'s key'),
    (("reset", "hits", "account=a", "nobody=m"),
     '"key" names what is no field of the policy'),
    (("reset", "--all", "amount=1"), '"key" names fields by which no counter'),
    (("reset", "--all", "account=a", "x=1"), '"key" names fields by which no'),
])
def test_what_is_refused(nginx, app, arguments, words):
    server = make(nginx, app, "")
    code, said = key(server, *arguments, *WHY)
    assert code == 1 and words in said["error"].replace('\\"', '"')
    assert not server.audit_lines("key")


@pytest.mark.parametrize("arguments, words", [
    ((), 'expected "inspect" or "reset"'),
    (("forget", "hits"), 'instead of "forget"'),
    (("reset",), "COUNTER is missing"),
    (("reset", "account=a", *WHY), 'COUNTER is missing before "account=a"'),
    (("reset", "hits", *WHY), "FIELD=VALUE is missing"),
    (("reset", "--all", *WHY), "FIELD=VALUE is missing"),
    (("reset", "hits", "account", *WHY), '"account" is not FIELD=VALUE'),
    (("reset", "hits", "account=a", "--by", "x"), "--reason TEXT is missing"),
    (("inspect", "hits", "account=a", "--reason", "x"), "--by NAME is missing"),
    (("inspect", "hits", "account=a", "--for", "x"), 'unknown option "--for"'),
    (("inspect", "hits", "account=a", "--by="), "needs a value"),
    (("inspect", "hits", "account=" + "a" * 9000, *WHY), "too long"),
    (("inspect", "hits", "account=a", *WHY), "cannot connect to"),
])
def test_wrong_arguments(arguments, words, folder):
    done = subprocess.run(
        [str(CTL), "key", *arguments, "--socket", f"unix:{folder}/none"],
        capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_as_many_counters_as_one_answer_holds(nginx, app, store):  # noqa: F811
    """48 of the longest names did not fit: a reset was done, and answered
    with a 500."""
    counters = "".join(
        f"integrity_counter {'n' * 62}{number:02} on=order.create key=account "
        f"window=365d mean=amount warmup=1d;\n" for number in range(48))
    server = nginx(http=HEAD + counters + store, server=PLACES, APP=app)
    for amount in (123456.123457, 1234.565432, 31.415927):
        assert post(server, "ann", amount=amount) == 200
    for op in ("inspect", "reset"):
        code, said = key(server, op, "--all", "account=ann", *WHY)
        assert code == 0, said
        assert len(said["counter"]) == 48
