"""The end of a worker while calls wait for Redis: graceful, limited, fast."""

import signal
import time

import pytest

from harness import processes
from harness.answer import read_answer
from harness.fake_redis import expect, silence
from harness.senders import post_request
from harness.settings import PATIENCE, wait_until
from redis_place import count_key, is_ready, place, status

REQUEST = post_request("/", b"{}", {"X-Account": "a"})


class Waiting:
    """Calls that wait for a Redis which is silent."""

    def __init__(self, server, count=8):
        (self.worker,) = server.worker_pids()
        before = len(server.descriptors())
        self.socks = [server.connect() for _ in range(count)]
        for sock in self.socks:
            sock.sendall(REQUEST)
        wait_until(lambda: self.open() == before + count)
        time.sleep(0.05)        # for what they sent to be read

    def open(self):
        return len(processes.descriptors(self.worker))

    def answers(self):
        """Their statuses; then the connections are closed.

        nginx lingers for five seconds on one that is not.
        """
        found = []
        for sock in self.socks:
            found.append(read_answer(sock).status)
            sock.close()
        return found

    def closed(self):
        """No answer: the connections were closed."""
        return [sock.recv(1) for sock in self.socks] == [b""] * len(self.socks)


def start(nginx, redis, app, options, **parts):
    server = place(nginx, app, redis, options, **parts)
    wait_until(lambda: is_ready(server))
    return server


def evaluations(server):
    return [line["evaluation"] for line in server.audit_lines("decision")]


def closes(server):
    return server.audit_lines("chain_close")


def test_a_quit_answers_what_waits(nginx, redis, app):
    """At the deadline, degraded; then the worker ends."""
    real = redis()
    server = start(nginx, real, app, "timeout=500ms")
    real.freeze()
    waiting = Waiting(server)
    server.signal(signal.SIGQUIT)
    assert waiting.answers() == [200] * 8
    assert server.quit() < 2 * PATIENCE
    assert evaluations(server) == ["degraded"] * 8
    assert len(closes(server)) == 1


def test_a_quit_answers_when_redis_does(nginx, redis, app):
    real = redis()
    server = start(nginx, real, app, "timeout=10s")
    real.freeze()
    waiting = Waiting(server)
    server.signal(signal.SIGQUIT)
    time.sleep(0.2)
    real.thaw()
    assert waiting.answers() == [200] * 8
    assert server.quit() < 2 * PATIENCE
    assert evaluations(server) == ["complete"] * 8
    client = real.client()
    assert int(client.get(count_key(client))) == 8


@pytest.mark.parametrize("policy,code", [("local", 200), ("allow", 200),
                                         ("deny", 503)])
def test_a_quit_when_redis_dies_too(nginx, redis, app, policy, code):
    real = redis()
    server = start(nginx, real, app, f"timeout=10s on_error={policy}")
    real.freeze()
    waiting = Waiting(server)
    server.signal(signal.SIGQUIT)
    time.sleep(0.1)
    real.stop()
    assert waiting.answers() == [code] * 8
    assert server.quit() < 2 * PATIENCE
    assert evaluations(server) == ["degraded"] * 8


def test_a_quit_with_a_limit(nginx, redis, app):
    """worker_shutdown_timeout: clients are cut off, and told as aborted."""
    real = redis()
    server = start(nginx, real, app, "timeout=30s",
                   main="worker_shutdown_timeout 300ms;")
    real.freeze()
    waiting = Waiting(server)
    began = time.monotonic()
    server.signal(signal.SIGQUIT)
    assert waiting.closed()
    assert server.quit() < 3 * PATIENCE
    assert time.monotonic() - began >= 0.25
    told = evaluations(server)
    left = [line for line in server.audit_lines("outcome")
            if line.get("aborted")]
    assert len(told) + len(left) == 8
    assert set(told) <= {"degraded"}
    assert len(closes(server)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_fast_shutdown(nginx, redis, app, number):
    """Whatever was in flight is decided and on record before the chain ends."""
    real = redis()
    server = start(nginx, real, app, "timeout=30s")
    real.freeze()
    waiting = Waiting(server)
    assert server.quit(number=number) < 1 * PATIENCE
    assert waiting.closed()
    assert evaluations(server) == ["degraded"] * 8
    assert len(closes(server)) == 1


def test_a_fast_shutdown_in_the_turn_of_the_answer(nginx, redis, app):
    real = redis()
    server = start(nginx, real, app, "timeout=30s")
    real.freeze()
    waiting = Waiting(server)
    real.thaw()
    server.quit(number=signal.SIGTERM)
    assert len(waiting.socks) == 8
    assert len(evaluations(server)) == 8
    assert len(closes(server)) == 1


def test_a_quit_with_an_open_breaker(nginx, redis, app):
    """A stalled server is waited for, for a second at most."""
    real = redis()
    server = start(nginx, real, app, "timeout=30ms")
    real.freeze()
    waiting = Waiting(server)
    assert waiting.answers() == [200] * 8
    assert status(server)["breaker"] == 1
    assert server.quit() < 2 * PATIENCE


def test_a_quit_before_the_first_connection(nginx, fake_redis, app):
    """Redis accepts and says nothing: calls wait, and are answered."""
    server = place(nginx, app, fake_redis([expect("PING"), silence()]),
                   "timeout=400ms connect_timeout=20s")
    waiting = Waiting(server, 3)
    server.signal(signal.SIGQUIT)
    assert waiting.answers() == [200] * 3
    assert server.quit() < 2 * PATIENCE
    assert evaluations(server) == ["degraded"] * 3
