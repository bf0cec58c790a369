"""A binary upgrade (USR2, WINCH, QUIT) under load, and one taken back.

Counters in Redis, calls and audit lines: none is lost. The zone is another
one: what counters in the zone begin anew is the price, told in the reference.
"""

import os
import signal
import time

from harness import processes
from harness.crowd import Crowd
from harness.settings import wait_until
from test_reload import (REQUESTS, check_calls, check_counts, request, start)


def begin(server):
    """USR2: both generations take calls. Returns the old master's pid."""
    old = server.upgrade(retire=False)
    wait_until(lambda: len(server.worker_pids()) == 2)
    return old


def workers_of(master):
    return [pid for pid in processes.children(master)
            if "worker process" in processes.title(pid)]


def test_upgrade_under_load(nginx, redis):
    server = start(nginx, redis())
    with Crowd(server, REQUESTS, clients=6, keepalive=False,
               pause=0.002) as crowd:
        time.sleep(0.1)
        old = begin(server)
        time.sleep(0.2)
        os.kill(old, signal.SIGWINCH)
        wait_until(lambda: not workers_of(old), what="the old workers to end")
        time.sleep(0.1)
        os.kill(old, signal.SIGQUIT)
        wait_until(lambda: not processes.alive(old))
        time.sleep(0.1)
    wait_until(lambda: len(server.audit_lines("outcome")) == len(crowd.calls))
    assert check_calls(server, crowd) == 0
    check_counts(server, crowd)
    chains = {line["chain"] for line in server.audit_lines("decision")}
    assert len(chains) == 4
    server.quit()
    assert len(server.audit_lines("chain_close")) == 4


def test_an_upgrade_taken_back(nginx, redis):
    """The new master is sent away, the old one takes its workers back."""
    server = start(nginx, redis())
    with Crowd(server, REQUESTS, clients=6, keepalive=False,
               pause=0.002) as crowd:
        old = begin(server)
        new, server.master = server.master, old
        os.kill(old, signal.SIGWINCH)
        wait_until(lambda: not workers_of(old))
        time.sleep(0.1)
        os.kill(old, signal.SIGHUP)
        wait_until(lambda: len(workers_of(old)) == 2)
        os.kill(new, signal.SIGQUIT)
        wait_until(lambda: not processes.alive(new))
        time.sleep(0.1)
    check_calls(server, crowd)
    check_counts(server, crowd)


def test_calls_in_flight_at_the_upgrade(nginx, redis):
    """Those that wait for Redis are answered by the old workers."""
    real = redis()
    server = start(nginx, real)
    real.freeze()
    with Crowd(server, REQUESTS, clients=8, keepalive=False, calls=8,
               wait=False) as crowd:
        time.sleep(0.3)
        old = begin(server)
        os.kill(old, signal.SIGWINCH)
        os.kill(old, signal.SIGQUIT)
        time.sleep(0.1)
        real.thaw()
        crowd.stop()
    wait_until(lambda: not processes.alive(old))
    check_calls(server, crowd)
    check_counts(server, crowd)


def test_rotation_between_two_generations(nginx, redis):
    """Both masters are told to open the log anew; both do."""
    server = start(nginx, redis())
    with Crowd(server, REQUESTS, clients=4, keepalive=False,
               pause=0.002) as crowd:
        old = begin(server)
        moved = server.dir / "audit.log.1"
        server.audit_path.rename(moved)
        os.kill(old, signal.SIGUSR1)
        server.reopen(moved)
        time.sleep(0.1)
        os.kill(old, signal.SIGQUIT)
        wait_until(lambda: not processes.alive(old))
    check_calls(server, crowd)
    check_counts(server, crowd)


def test_the_zone_is_a_new_one(nginx):
    """Embedded counters begin anew, and chains name no predecessor."""
    server = start(nginx)
    server.raw(request("ann"))
    old = begin(server)
    os.kill(old, signal.SIGQUIT)
    wait_until(lambda: not processes.alive(old))
    server.raw(request("ann"))
    assert [line["counter"]["hits"]
            for line in server.audit_lines("decision")] == [1, 1]
    assert {line["before"] is None
            for line in server.audit_lines("chain_open")} == {True}
