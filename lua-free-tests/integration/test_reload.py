"""Reloads under load, of several workers: nothing is lost.

No counter (in Redis and in the zone), no call, no audit line.
"""

import os
import signal
import time

import pytest

from harness import processes, senders
from harness.crowd import Crowd
from harness.settings import wait_until

SOAK = os.environ.get("IG_SOAK") == "1"

HTTP = """
    integrity_zone    integrity:4m new_keys=1000000;
    %%STORE%%
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account $http_x_account;
    integrity_field   device  json:/device;
    integrity_counter hits    key=account window=7d;
    integrity_counter exact   key=account window=7d exact max=60000;
    integrity_counter devices key=account window=7d distinct=device;
    integrity_counter done    key=account window=7d count=completed;
    integrity_rule    some "hits + exact + devices + done < 0" score=1;
    integrity_rule    hot  "account == 'hot' && hits > 5" then=throttle;
    %%RULES%%

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

CLOSE = {"Connection": "close"}


def request(account, device=0):
    return senders.post_request("/", b'{"device":%d}' % device, {
        "X-Account": account, **CLOSE})


REQUESTS = [request(account, device) for device, account
            in enumerate(("ann", "bob", "ann", "hot", "cleo"))]
ACCOUNTS = ("ann", "bob", "ann", "hot", "cleo")


def start(nginx, redis=None, **parts):
    store = f"integrity_redis {redis} timeout=5s;" if redis else ""
    server = nginx(http=HTTP.replace("%%STORE%%", store), server=SERVER,
                   workers=2, **{"RULES": "", **parts})
    wait_until(lambda: len(server.worker_pids()) == 2)
    if redis:
        wait_until(lambda: server.get("/status").json()["redis"]["up"] == 2)
    return server


def read_back(server):
    """{account: what its counters stand at}, by one more call each."""
    found = {}
    for account in sorted(set(ACCOUNTS)):
        server.raw(request(account))
        line = server.audit_lines("decision")[-1]
        assert line["field"]["account"] == account
        found[account] = line["counter"]
    return found


def check_calls(server, crowd):
    """Every call has its answer, and every answer its line, one of each."""
    assert crowd.errors == []
    assert {call.status for call in crowd.calls} <= {201, 429}
    lines = {line["event"]: line for line in server.audit_lines("decision")}
    assert len(lines) == len(server.audit_lines("decision"))
    assert set(lines) == {call.event for call in crowd.calls}
    assert {line["evaluation"] for line in lines.values()} == {"complete"}
    for call in crowd.calls:
        throttled = lines[call.event]["decision"] == "throttle"
        assert throttled == (call.status == 429)
    outcomes = [line["event"] for line in server.audit_lines("outcome")]
    assert len(set(outcomes)) == len(outcomes)
    return len(crowd.calls) - len(outcomes)


def check_counts(server, crowd):
    """Each counter stands at what was accepted, and at no more."""
    accepted = dict.fromkeys(ACCOUNTS, 0)
    for call in crowd.calls:
        accepted[ACCOUNTS[call.request]] += call.status == 201
    counters = read_back(server)
    for account, count in accepted.items():
        now = counters[account]
        assert now["hits"] == now["exact"] == count + 1, account
        assert now["done"] == count, account
    assert {now["devices"] for now in counters.values()} == {2}


@pytest.mark.parametrize("store", ["redis", "embedded"])
def test_reload_under_load(nginx, redis, store):
    real = redis() if store == "redis" else None
    server = start(nginx, real)
    with Crowd(server, REQUESTS, clients=6, keepalive=False,
               pause=0.002) as crowd:
        for _ in range(30 if SOAK else 4):
            time.sleep(0.1)
            server.reload()
    wait_until(lambda: len(server.audit_lines("outcome")) == len(crowd.calls))
    assert check_calls(server, crowd) == 0
    check_counts(server, crowd)
    server.quit()
    check_chains(server)


def check_chains(server):
    """Each generation names the one before it in its place."""
    opens = server.audit_lines("chain_open")
    chains = {line["chain"] for line in opens}
    for line in opens[2:]:
        assert line["before"]["chain"] in chains
    assert len(server.audit_lines("chain_close")) == len(opens)
    assert all(line["lost"] == 0 for line in server.audit_lines("chain_close"))


def test_reloads_in_a_row(nginx, redis):
    """The next one comes before the last is over."""
    server = start(nginx, redis())
    with Crowd(server, REQUESTS, clients=4, keepalive=False,
               pause=0.002) as crowd:
        for _ in range(50 if SOAK else 12):
            server.signal(signal.SIGHUP)
            time.sleep(0.02)
        server.reload()
    wait_until(lambda: not server.old_worker_pids())
    check_calls(server, crowd)
    check_counts(server, crowd)


def test_reload_with_another_policy(nginx):
    """The counters stay; every line names the policy it was decided by."""
    server = start(nginx)
    with Crowd(server, REQUESTS, clients=4, keepalive=False,
               pause=0.002) as crowd:
        time.sleep(0.1)
        server.values["RULES"] = "integrity_rule more 'hits > 1e6' score=2;"
        server.configure()
        server.reload()
        time.sleep(0.1)
    check_calls(server, crowd)
    check_counts(server, crowd)
    policies = {line["chain"]: line["policy"]
                for line in server.audit_lines("chain_open")}
    assert len(set(policies.values())) == 2
    for line in server.audit_lines("decision"):
        assert line["policy"] == policies[line["chain"]]


def test_a_refused_reload_changes_nothing(nginx):
    server = start(nginx)
    with Crowd(server, REQUESTS, clients=4, pause=0.002) as crowd:
        time.sleep(0.1)
        server.values["RULES"] = "integrity_rule wrong 'nobody > 1' score=2;"
        server.configure()
        server.refuse_reload("nobody")
    check_calls(server, crowd)
    check_counts(server, crowd)


def sockets(pids):
    return sum(target.startswith("socket:") for pid in pids
               for target in processes.descriptors(pid).values())


def test_reload_while_redis_is_silent(nginx, redis):
    """Calls that wait are answered by the worker they came to."""
    real = redis()
    server = start(nginx, real)
    pids = server.worker_pids()
    before = server.descriptors().count("socket")
    real.freeze()
    with Crowd(server, REQUESTS, clients=8, keepalive=False, calls=8,
               wait=False) as crowd:
        wait_until(lambda: sockets(pids) == before + 8)
        server.reload(wait_old=False)
        real.thaw()
        crowd.stop()
    wait_until(lambda: not server.old_worker_pids())
    check_calls(server, crowd)
    chains = {line["chain"] for line in server.audit_lines("decision")}
    assert chains <= {line["chain"] for line
                      in server.audit_lines("chain_open")[:2]}
    check_counts(server, crowd)
