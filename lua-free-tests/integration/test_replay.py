"""The same answers: a stream of the past through nginx and a store gives
exactly the decisions of `integrityctl backtest`, event by event.

The module is one built for this (make build REPLAY=1): a header says when each
call happened. A build without that flag has no such header.
"""

import gzip
import json
import random
import socket
import subprocess

import pytest

from harness.settings import CTL, DATA, ROOT, SANITIZED

MODULE = ROOT / "build-replay" / "ngx_http_integrity_module.so"

HTTP = """
    keepalive_requests 1000000;
    integrity_zone    integrity:64m new_keys=1000000000;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    include %%POLICY%%;
"""

SERVER = """
    location / {
        integrity on; integrity_action $http_x_action;
        add_header X-Decision
            "$integrity_decision/$integrity_score/$integrity_rules" always;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }
    }
    server { listen 127.0.0.1:%%PORT_APP%%; keepalive_requests 1000000;
             location / { return 204; }
"""

FIELDS = """
integrity_field  account   json:/account;
integrity_field  merchant  json:/merchant;
integrity_field  device    json:/device;
integrity_field  product   json:/items/*;
integrity_field  rating    json:/rating;
"""

# One counter of every kind, written in every way, and rules on all of them.
MIXED = FIELDS + """
integrity_counter  plain     on=review  key=account  window=1h;
integrity_counter  tries     on=review  key=account  window=1h  count=attempts;
integrity_counter  exactly   on=review  key=account  window=20m exact max=50;
integrity_counter  devices   on=review  key=device   window=2h  distinct=account;
integrity_counter  total     on=review  key=merchant window=1h  sum=rating;
integrity_counter  mean      on=review  key=merchant window=3h  mean=rating;
integrity_counter  known     on=*       key=account  window=1d  first warmup=0;
integrity_counter  bought    on=order   key=account,product window=1d  last
                             count=completed warmup=0;
integrity_counter  praise    on=review  key=merchant window=1h  "if=rating >= 5";
integrity_counter  strangers on=review  key=merchant window=1h  "if=known < 10m";
integrity_counter  refused   on=decision.throttle key=account window=1h;
integrity_threshold  many  4;
integrity_rule  fast      "plain > many"            on=review  then=throttle;
integrity_rule  insistent "tries > 9 && refused > 3" on=review then=deny;
integrity_rule  burst     "exactly >= 4"            on=review  score=20;
integrity_rule  farm      "devices > 3"             on=review  score=30;
integrity_rule  far       "abs(rating - or(mean, 3)) > 1.5" on=review score=15;
integrity_rule  new       "known < 5m"              on=review  score=10;
integrity_rule  unbought  "!has(bought) || bought < 30s" on=review score=15;
integrity_rule  praised   "praise > 6 && total > 20" on=review score=20 dry_run;
integrity_rule  crowd     "strangers > 5"           on=review  score=5;
integrity_scores  hold=40 throttle=75 deny=95;
"""


def mixed_events(number):
    """A day of a few people who order and review; always the same."""
    chance = random.Random(11)
    at = 1_577_404_800
    for _ in range(number):
        at += chance.choice([0, 1, 7, 40, 300])
        event = {"time": at, "action": chance.choice(["order", "review",
                                                      "review", "review"]),
                 "account": f"a{int(chance.expovariate(.2))}",
                 "merchant": f"m{chance.randrange(4)}",
                 "device": f"d{chance.randrange(6)}",
                 "items": chance.sample(["p1", "p2", "p3"],
                                        chance.randrange(1, 4))}
        if event["action"] == "review":
            event["rating"] = chance.choice([1, 4, 5, 5])
            del event["items"]
            event["product"] = [chance.choice(["p1", "p2", "p3"])]
        yield event


@pytest.fixture(scope="module", autouse=True)
def replay_module():
    if SANITIZED:
        pytest.skip("the replay needs a build of its own, not sanitized")
    subprocess.run(["make", "-s", "build", "REPLAY=1"], cwd=ROOT, check=True,
                   capture_output=True, timeout=300)


def backtest(folder, policy, events):
    """What `integrityctl backtest` decides: decision/score/rules each."""
    stream = folder / "events.jsonl"
    stream.write_text("".join(json.dumps(
        {**event, "product": event.get("items", event.get("product"))}) + "\n"
        for event in events))
    output = folder / "decisions.jsonl"
    subprocess.run([CTL, "backtest", "-c", policy, "--decisions", output,
                    "--strict", stream], check=True, capture_output=True,
                   timeout=120)
    return [spelled(json.loads(line)) for line in output.open()]


def spelled(line):
    rules = ",".join(rule if isinstance(rule, str) else rule["name"]
                     for rule in line["rule"])
    return f'{line["decision"]}/{line["score"]}/{rules}'


def call(event):
    body = {name: value for name, value in event.items()
            if name not in ("time", "action", "label", "order")}
    if "product" in body:
        body["items"] = body.pop("product")
    body = json.dumps(body).encode()
    return (f"POST / HTTP/1.1\r\nHost: x\r\nX-Action: {event['action']}\r\n"
            f"X-Integrity-Replay: {event['time'] * 1000}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def replay(port, events):
    """The decisions nginx takes, one call after the other."""
    found = []
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        answers = sock.makefile("rb")
        for event in events:
            sock.sendall(call(event))
            length = 0
            decision = None
            for line in iter(answers.readline, b"\r\n"):
                assert line, "nginx closed the connection"
                name, _, value = line.decode().partition(":")
                if name.lower() == "x-decision":
                    decision = value.strip()
                elif name.lower() == "content-length":
                    length = int(value)
            answers.read(length)
            found.append(decision)
    return found


def same(nginx, folder, policy, events, store):
    line = f"integrity_redis {store} timeout=2s;" if store else ""
    server = nginx(module=False, main=f"load_module {MODULE};", level="warn",
                   http=HTTP + line, server=SERVER, POLICY=policy)
    wanted = backtest(folder, policy, events)
    found = replay(server.port, events)
    assert len(found) == len(wanted) == len(events)
    differing = [(number, event, there, here) for number, (event, there, here)
                 in enumerate(zip(events, wanted, found), 1) if there != here]
    assert differing == [], (len(differing), differing[:3])
    return wanted


@pytest.mark.parametrize("kind", ["embedded", "redis"])
def test_every_kind_of_counter(nginx, redis, tmp_path, kind):
    policy = tmp_path / "policy.conf"
    policy.write_text(MIXED)
    decided = same(nginx, tmp_path, policy, list(mixed_events(2500)),
                   redis() if kind == "redis" else None)
    # a comparison of nothing but "allow" would show little
    for decision in ("allow", "hold", "throttle", "deny"):
        assert sum(one.startswith(decision + "/") for one in decided) > 20


def test_orders_of_a_marketplace(nginx, redis, tmp_path):
    stream = DATA / "shopee-orders.jsonl.gz"
    if not stream.exists():
        pytest.skip(f"no {stream.name} in {DATA}")
    policy = tmp_path / "policy.conf"
    policy.write_text(FIELDS
                      + f"include {ROOT}/conf/rules/orders.conf;\n"
                      f"include {ROOT}/conf/rules/sanctions.conf;\n")
    with gzip.open(stream, "rt", encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines]
    decided = same(nginx, tmp_path, policy, events, redis())
    assert sum(one.startswith("hold/") for one in decided) > 100
    assert sum("watched_account" in one for one in decided) > 10


def test_the_usual_build_knows_no_such_header():
    module = ROOT / "build" / "ngx_http_integrity_module.so"
    assert b"X-Integrity-Replay" in MODULE.read_bytes()
    assert b"X-Integrity-Replay" not in module.read_bytes()
