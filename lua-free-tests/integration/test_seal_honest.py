"""A sealing process beside real nginx through crashes, reloads, rotations.

Nothing here is an attack: the process finds nothing, and verify accuses
nobody.
"""

import os
import signal
import time

import pytest

from harness import processes, senders
from harness.crowd import Crowd
from harness.sealing import Seal
from harness.settings import wait_until

HTTP = """
    integrity_zone    integrity:4m new_keys=1000000;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account $http_x_account;
    integrity_counter calls key=account window=1h;
    integrity_rule    often "calls > 3" score=10;

    server {
        listen 127.0.0.1:%%PORT_APP%%;
        return 201;
    }
"""

SERVER = """
        integrity        on;
        integrity_action review.create;
        location / { proxy_pass http://127.0.0.1:%%PORT_APP%%; }
"""


@pytest.fixture
def place(nginx, folder):
    """nginx and a process that follows its log; both end with the test."""
    server = nginx(http=HTTP, server=SERVER, workers=2)
    seal = Seal(folder, server.audit_path).start()
    yield server, seal
    seal.kill()


def load(server):
    request = senders.post_request("/", b"{}", {"X-Account": "a"})
    return Crowd(server, [request], clients=4, pause=0.01)


def rotate(server, number):
    moved = server.dir / f"audit.log.{number:02}"
    server.audit_path.rename(moved)
    server.reopen(moved)


def sealed_to_the_end(server, seal, results=(0,)):
    """Ends both: all lines are sealed, nothing was found."""
    server.quit()
    wait_until(lambda: sum(seal.sealed().values())
               == sum({line["chain"]: line["seq"]
                       for line in server.audit_lines()}.values()),
               what="everything to be sealed")
    assert seal.stop() == 0
    assert seal.findings() == [], seal.said
    code, said = seal.verify(*server.audit_paths())
    assert code in results and "; 0 lines after it" in said, said


def test_rotations_under_load(place):
    server, seal = place
    with load(server):
        for number in range(10):
            time.sleep(0.05)
            rotate(server, number)
    sealed_to_the_end(server, seal)
    assert len({log["segment"] for line in seal.lines()
                for log in line.get("log", ())}) == 11


def test_crashes_and_reloads_under_load(place):
    server, seal = place
    server.declare(log=[r"signal 9|exited on signal"], verify=(0, 1, 3))
    with load(server):
        for number in range(4):
            time.sleep(0.1)
            victim = server.worker_pids()[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: not processes.alive(victim),
                       what="a worker to die")
            wait_until(lambda: len(server.worker_pids()) == 2,
                       what="a new worker")
            server.reload()
            rotate(server, number)
    sealed_to_the_end(server, seal, (0, 1, 3))


def test_a_sealing_process_that_is_killed(place):
    """It goes on where it was, with what was renamed while it was away."""
    server, seal = place
    with load(server):
        for number in range(4):
            time.sleep(0.25)
            seal.kill()
            if number % 2:
                rotate(server, number)
                rotate(server, number + 10)
            seal.start()
            time.sleep(0.1)
    sealed_to_the_end(server, seal)
