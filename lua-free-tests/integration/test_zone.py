"""The zone at its limits: the cap on new keys, and memory that is used up."""

import json
import socket

import pytest

from harness import senders
from harness.answer import read_answer
from harness.crowd import Crowd
from harness.settings import wait_until

HTTP = """
    integrity_zone    integrity:1m new_keys=%%CAP%%;
    %%STORE%%
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account $http_x_account;
    integrity_field   item    json:/item/*;
    integrity_counter hits    key=account window=1h;
    integrity_counter items   key=item window=1h;
    integrity_rule    some "hits + items < 0" score=1;
    integrity_rule    fresh "account != 'hot' && hits > 1000" then=throttle;

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


def start(nginx, cap, redis=None, **parts):
    store = f"integrity_redis {redis} timeout=5s;" if redis else ""
    server = nginx(http=HTTP.replace("%%STORE%%", store), server=SERVER,
                   CAP=cap, **parts)
    if redis:
        wait_until(lambda: server.get("/status").json()["redis"]["up"] == 1)
    return server


def call(server, account, source="127.0.0.1", items=()):
    """One call from an address; its decision line."""
    with socket.create_connection(("127.0.0.1", server.port), 20,
                                  (source, 0)) as sock:
        sock.sendall(senders.post_request(
            "/", json.dumps({"item": list(items)}).encode(),
            {"X-Account": account}))
        answer = read_answer(sock)
    assert answer.status == 201
    (line,) = [line for line in server.audit_lines("decision")
               if line["event"] == answer.headers["x-event"]]
    return line


@pytest.mark.parametrize("store", ["redis", "embedded"])
def test_beyond_the_cap(nginx, redis, store):
    """Nothing of the call is counted, and it says so; all others go on."""
    real = redis() if store == "redis" else None
    server = start(nginx, 20, real)
    for number in range(20):
        line = call(server, f"a{number}")
        assert line["counter"]["hits"] == 1 and "new_keys" not in line
    before = real.commands() if real else None
    for number in range(20, 30):
        line = call(server, f"a{number}")
        assert line["new_keys"] is True
        assert line["counter"]["hits"] is None
    if real:
        after = real.commands()
        assert after["incr"] == before["incr"]
        assert len(real.client().keys("ig:1:{hits:*")) == 20
    # keys that are there, of this client and of another
    assert call(server, "a0")["counter"]["hits"] == 2
    assert call(server, "a1", "127.0.0.2")["counter"]["hits"] == 2
    assert call(server, "other", "127.0.0.2")["counter"]["hits"] == 1
    # what was refused is new still
    assert call(server, "a25", "127.0.0.2")["counter"]["hits"] == 1
    assert server.get("/status").json()["calls"]["new_keys_refused"] == 10


@pytest.mark.parametrize("store", ["redis", "embedded"])
def test_a_call_of_many_keys_passes_whole_or_not(nginx, redis, store):
    real = redis() if store == "redis" else None
    server = start(nginx, 40, real)
    first = call(server, "a", items=range(30))
    assert (first["counter"]["hits"], first["counter"]["items"]) == (1, 1)
    line = call(server, "a", items=range(20, 50))
    assert line["new_keys"] is True
    assert set(line["counter"].values()) == {None}
    line = call(server, "a", items=range(20, 35))
    assert (line["counter"]["hits"], line["counter"]["items"]) == (2, 2)
    if real:
        assert len(real.client().keys("ig:1:{items:*")) == 35


def test_several_workers_share_the_cap(nginx):
    server = start(nginx, 50, workers=2)
    requests = [senders.post_request("/", b"{}", {"X-Account": f"a{number}"})
                for number in range(200)]
    with Crowd(server, requests, clients=8, calls=200) as crowd:
        crowd.stop()
    assert crowd.errors == []
    refused = [line for line in server.audit_lines("decision")
               if line.get("new_keys")]
    assert len(refused) == 150


@pytest.mark.parametrize("store", ["redis", "embedded"])
def test_more_keys_than_the_smallest_zone_holds(nginx, redis, store):
    """Those seen once go first; a key in use stays, and nothing fails."""
    real = redis() if store == "redis" else None
    server = start(nginx, 10000000, real)
    slots = wait_until(lambda: server.get("/status").json()["store"]["slots"])
    batch, calls = 60, 3 * slots // 60
    requests = []
    for number in range(calls):
        items = range(number * batch, (number + 1) * batch)
        account = "hot" if number % 3 == 0 else f"once{number}"
        requests.append(senders.post_request(
            "/", json.dumps({"item": list(items)}).encode(),
            {"X-Account": account}))
    with Crowd(server, requests, clients=4, calls=calls) as crowd:
        crowd.stop()
    assert crowd.errors == []
    assert {one.status for one in crowd.calls} == {201}
    lines = server.audit_lines("decision")
    assert {line["evaluation"] for line in lines} == {"complete"}
    assert None not in {value for line in lines
                        for value in line["counter"].values()}
    wait_until(lambda: server.get("/status").json()["store"]["evicted"]
               > slots)
    now = server.get("/status").json()["store"]
    assert now["used"] <= now["slots"] == slots
    hot = [line["counter"]["hits"] for line in lines
           if line["field"]["account"] == "hot"]
    assert sorted(hot) == list(range(1, len(hot) + 1))
    assert not [line for line in server.error_log.splitlines()
                if "[crit]" in line or "[error]" in line]
