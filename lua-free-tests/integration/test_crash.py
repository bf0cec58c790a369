"""Killed without a warning: a worker, the master, everything at once.

What a crash may cost is told by the log: the successor of a worker names what
was left, verify explains it or says what is not explained.
"""

import json
import os
import signal
import subprocess
import time

import pytest

from harness import processes
from harness.crowd import Crowd
from harness.settings import CTL, wait_until
from redis_place import status
from test_reload import REQUESTS, SERVER, request, start


# What nginx says of a worker that was killed, the second where it held the
# zone's lock, which nginx then takes from it.
KILLED = ["exited on signal 9", "was locked by"]


def verify(server):
    done = subprocess.run([CTL, "verify", *server.audit_paths()],
                          capture_output=True, text=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def lines_of(server):
    """Whole lines; what a crash tore is left out."""
    found = []
    for raw in server.audit_path.read_bytes().split(b"\n"):
        try:
            found.append(json.loads(raw))
        except ValueError:
            pass
    return found


def kill_worker(server, pid):
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes.alive(pid)
               and len(server.worker_pids()) == 2,
               what="a successor of the killed worker")


def check_answers(server, crowd):
    """Whoever got an answer has a line; the dead worker's clients got none."""
    events = {line["event"] for line in lines_of(server)
              if line["kind"] == "decision"}
    answered = [call for call in crowd.calls if not call.error]
    assert len(answered) > len(crowd.calls) / 2
    assert {call.event for call in answered} <= events
    # those whose worker died after it had written
    assert len(events) - len(answered) <= len(crowd.calls) - len(answered)


@pytest.mark.parametrize("store", ["redis", "embedded"])
def test_killed_workers_under_load(nginx, redis, store):
    server = start(nginx, redis() if store == "redis" else None)
    server.declare(log=KILLED, verify=[0, 1, 3])
    with Crowd(server, REQUESTS, clients=6, keepalive=False,
               pause=0.001) as crowd:
        for number in range(5):
            time.sleep(0.1)
            kill_worker(server, server.worker_pids()[number % 2])
        time.sleep(0.1)
    check_answers(server, crowd)
    opens = [line for line in lines_of(server) if line["kind"] == "chain_open"]
    assert len(opens) == 7
    for line in opens[2:]:
        check_witness(server, line["before"])
    if store == "redis":
        wait_until(lambda: status(server)["up"] == 2)
        assert status(server)["breaker"] == 0
    server.quit()
    code, said = verify(server)
    assert code in (0, 1), said


def check_witness(server, before):
    """What a successor says of the killed one is what is in the file."""
    assert before["state"] == "open"
    own = [line for line in lines_of(server)
           if line["chain"] == before["chain"]]
    assert before["written"] <= own[-1]["seq"] <= before["issued"]
    (last,) = [line for line in own if line["seq"] == before["written"]]
    assert last["hash"] == before["last"]


def test_the_gauges_survive_a_crash(nginx, redis):
    """Workers that are gone are not counted as connected."""
    real = redis()
    server = start(nginx, real)
    server.declare(log=KILLED, verify=[0, 1, 3])
    for number in range(4):
        kill_worker(server, server.worker_pids()[number % 2])
    wait_until(lambda: len(real.client().client_list()) == 3)
    wait_until(lambda: is_ready_twice(server), timeout=5)
    real.stop()
    wait_until(lambda: (status(server)["up"], status(server)["breaker"])
               == (0, 2))
    kill_worker(server, server.worker_pids()[0])
    time.sleep(0.1)
    wait_until(lambda: status(server)["breaker"] == 2)
    real.start()
    wait_until(lambda: is_ready_twice(server))


def is_ready_twice(server):
    return (status(server)["up"], status(server)["breaker"]) == (2, 0)


def test_a_killed_worker_holds_no_lock(nginx):
    """Whatever it held in the zone, the others and its successor go on."""
    server = start(nginx)
    server.declare(log=KILLED, verify=[0, 1, 3])
    with Crowd(server, REQUESTS, clients=8, keepalive=False) as crowd:
        for number in range(8):
            time.sleep(0.05)
            kill_worker(server, server.worker_pids()[number % 2])
    check_answers(server, crowd)
    assert server.raw(request("ann")).status == 201


def test_a_crash_in_a_file_of_many(nginx):
    """More chains than the zone has room for: closed ones make it."""
    places = "".join(f"""
        location /a{number} {{
            integrity_audit  %%DIR%%/log.%%GENERATION%%.{number};
            integrity on; integrity_action review.create;
            proxy_pass http://127.0.0.1:%%PORT_APP%%;
        }}""" for number in range(70))
    server = start(nginx)
    server.declare(log=KILLED)
    for generation in range(3):
        server.values["GENERATION"] = generation
        server.configure(server=SERVER + places)
        server.reload()
    (pid, _) = server.worker_pids()
    kill_worker(server, pid)
    last = lines_of_path(server.dir / "log.2.69")
    opens = [line for line in last if line["kind"] == "chain_open"]
    assert [line["before"] is None for line in opens] == [True, True, False]


def lines_of_path(path):
    return [json.loads(raw) for raw in path.read_bytes().split(b"\n") if raw]


# -- everything ---------------------------------------------------------------

def start_again(server):
    """As after a crash of the machine: the pid file is stale, the log there."""
    (server.dir / "nginx.pid").unlink(missing_ok=True)
    server.start()


def test_everything_killed(nginx, redis):
    """The next life's chains do not know of this one's: verify says so."""
    real = redis()
    server = start(nginx, real)
    server.declare(verify=[3])
    with Crowd(server, REQUESTS, clients=6, keepalive=False) as crowd:
        time.sleep(0.2)
        server.kill()
    start_again(server)
    check_answers(server, crowd)
    assert server.raw(request("ann")).status == 201
    server.quit()
    opens = [line for line in lines_of(server) if line["kind"] == "chain_open"]
    assert [line["before"] for line in opens] == [None] * 4
    code, said = verify(server)
    assert code == 3, said
    assert "the chain ends here without being closed" in said


def test_a_line_torn_by_the_crash(nginx):
    """Half a line at the end: the next life begins on a line of its own."""
    server = start(nginx)
    server.declare(verify=[3], audit_checked=False)
    server.raw(request("ann"))
    server.wait_audit(1, "outcome")
    server.kill()
    data = server.audit_path.read_bytes()
    server.audit_path.write_bytes(data[:-30])
    start_again(server)
    server.raw(request("bob"))
    server.quit()
    raws = server.audit_path.read_bytes().split(b"\n")
    broken = [raw for raw in raws if raw and not raw.endswith(b"}")]
    assert len(broken) == 1
    assert len([line for line in lines_of(server)
                if line["kind"] == "chain_open"]) == 4
    code, said = verify(server)
    assert code == 3, said


def test_the_master_killed(nginx):
    """Its workers serve on; told to quit, they close their chains."""
    server = start(nginx)
    server.declare(log=[r"recvmsg\(\)", "channel"])
    workers = server.worker_pids()
    os.kill(server.master, signal.SIGKILL)
    wait_until(lambda: not processes.alive(server.master))
    with Crowd(server, REQUESTS, clients=4, keepalive=False,
               calls=100) as crowd:
        crowd.stop()
    assert crowd.errors == []
    for pid in workers:
        os.kill(pid, signal.SIGQUIT)
    wait_until(lambda: not any(processes.alive(pid) for pid in workers))
    start_again(server)
    server.quit()
    kinds = [line["kind"] for line in lines_of(server)]
    assert kinds.count("chain_close") == kinds.count("chain_open") == 4
