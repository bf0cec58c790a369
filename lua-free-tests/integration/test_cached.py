"""Answers from shared memory: a key that is known to be over its limit."""

import time
from datetime import datetime, timezone

import pytest

from harness import senders
from harness.crowd import Crowd
from harness.settings import wait_until

WINDOW = 2000           # ms
LIMIT = 5

HTTP = """
    integrity_zone    integrity:4m new_keys=1000000;
    %%STORE%%
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account $http_x_account;
    integrity_counter hits key=account window=2s;
    integrity_rule    fast "hits > 5" then=throttle;

    server {
        listen 127.0.0.1:%%PORT_APP%%;
        return 201;
    }
"""

SERVER = """
        add_header X-Event $integrity_event_id always;
        location / {
            integrity        on;
            integrity_action review.create;
            proxy_pass       http://127.0.0.1:%%PORT_APP%%;
        }
        location = /status { integrity_status; access_log off; }
"""

ACCOUNTS = ("ann", "bob", "cleo")


def start(nginx, redis=None):
    store = f"integrity_redis {redis} timeout=5s;" if redis else ""
    server = nginx(http=HTTP.replace("%%STORE%%", store), server=SERVER)
    if redis:
        wait_until(lambda: server.get("/status").json()["redis"]["up"] == 1)
    return server


def requests():
    return [senders.post_request("/", b"{}", {"X-Account": account})
            for account in ACCOUNTS]


def moment(line):
    """The event's time, ms."""
    time_ = datetime.strptime(line["time"], "%Y-%m-%dT%H:%M:%S.%fZ")
    return round(time_.replace(tzinfo=timezone.utc).timestamp() * 1000)


def is_over(accepted, now):
    """Whether one call more would be over, of those accepted so far (ms)."""
    bucket = now // WINDOW
    current = sum(one // WINDOW == bucket for one in accepted)
    previous = sum(one // WINDOW == bucket - 1 for one in accepted)
    weight = 1 - (now % WINDOW) / WINDOW
    return current + 1 + previous * weight > LIMIT


@pytest.mark.parametrize("store", ["redis", "embedded"])
def test_decisions_are_those_without_a_cache(nginx, redis, store):
    """Of each line in turn: cached or not, the decision is the same."""
    server = start(nginx, redis() if store == "redis" else None)
    with Crowd(server, requests(), clients=1, pause=0.004) as crowd:
        time.sleep(4.5)
    server.quit()
    accepted = {account: [] for account in ACCOUNTS}
    kinds = {"complete": 0, "cached": 0}
    for line in server.audit_lines("decision"):
        account = line["field"]["account"]
        over = is_over(accepted[account], moment(line))
        assert (line["decision"] == "throttle") == over, line
        if not over:
            accepted[account].append(moment(line))
        kinds[line["evaluation"]] += 1
    assert min(kinds.values()) >= 10
    # it lifts when the window ends, not later
    for moments in accepted.values():
        assert len({one // WINDOW for one in moments}) >= 2
    check_sums(server, crowd)


def check_sums(server, crowd):
    """Every call is told by a line of its own or by one it shares."""
    assert crowd.errors == []
    lines = {line["event"]: line for line in server.audit_lines("decision")}
    repeats = server.audit_lines("repeat")
    assert len(lines) + sum(line["count"] for line in repeats) \
        == len(crowd.calls)
    told = dict.fromkeys(lines, 1)
    for line in repeats:
        told[line["event"]] += line["count"]
        assert lines[line["event"]]["evaluation"] == "cached"
    seen = {}
    for call in crowd.calls:
        seen[call.event] = seen.get(call.event, 0) + 1
        assert (call.status == 429) \
            == (lines[call.event]["decision"] == "throttle")
    assert seen == told


@pytest.mark.parametrize("store", ["redis", "embedded"])
def test_repeats_add_up_under_load(nginx, redis, store):
    """Many clients on few keys; a reload between."""
    server = start(nginx, redis() if store == "redis" else None)
    with Crowd(server, requests(), clients=8, keepalive=False) as crowd:
        time.sleep(0.7)
        server.reload()
        time.sleep(0.7)
    metrics = server.get("/status").json()
    assert metrics["calls"]["calls"] == len(crowd.calls)
    assert sum(metrics["evaluation"].values()) == len(crowd.calls)
    assert metrics["evaluation"]["cached"] > len(crowd.calls) / 2
    server.quit()
    check_sums(server, crowd)
    # never more than the limit in a window, whatever came at once
    for account in ACCOUNTS:
        accepted = []
        for line in sorted(server.audit_lines("decision"), key=moment):
            if line["field"]["account"] == account \
                    and line["decision"] == "allow":
                assert not is_over(accepted, moment(line))
                accepted.append(moment(line))


def test_a_cached_answer_asks_nobody(nginx, redis):
    """No command to Redis, and it holds while Redis is silent."""
    real = redis()
    server = start(nginx, real)
    ann = requests()[0]
    wait_until(lambda: time.time() * 1000 % WINDOW < WINDOW / 4)
    assert [server.raw(ann).status for _ in range(6)] == [201] * 5 + [429]
    before = server.get("/status").json()
    real.freeze()
    began = time.monotonic()
    assert [server.raw(ann).status for _ in range(10)] == [429] * 10
    assert time.monotonic() - began < 1
    real.thaw()
    after = server.get("/status").json()
    assert after["redis"]["timeouts"] == 0
    assert after["redis"]["commands"] - before["redis"]["commands"] <= 3
    assert after["evaluation"]["cached"] == 10
