"""Replies a real Redis does not give: each has one outcome, none a crash."""

import time

import pytest

from harness.fake_redis import (close, dribble, expect, reset, send,
                                send_half, serve, skip)
from harness.settings import wait_until
from redis_place import call, is_ready, place, redis_errors, status


def instead(name, reply):
    """A handler that answers the first such command with `reply`."""
    left = [reply]

    def handler(command, _):
        return left.pop() if command[0] == name and left else None
    return handler


@pytest.fixture
def between(nginx, redis, fake_redis, app):
    """(server, fake): a real Redis behind a liar; one call is counted."""
    fake = fake_redis(upstream=redis())
    server = place(nginx, app, fake)
    assert call(server) == "complete"
    return server, fake


@pytest.mark.parametrize("code", ["OOM", "MOVED", "ASK", "CLUSTERDOWN",
                                  "WRONGTYPE", "NOPERM", "MISCONF", "ERR"])
def test_an_error_fails_the_operation_only(between, code):
    server, fake = between
    fake.handler = instead(b"INCR", f"-{code} so it is\r\n".encode())
    assert call(server) == "degraded"
    assert call(server) == "complete"
    assert fake.connections == 1
    assert status(server)["errors"] == 1
    assert [text for _, text in redis_errors(server)] \
        == [f"a command was refused: {code}"]


@pytest.mark.parametrize("code", ["LOADING", "READONLY", "MASTERDOWN",
                                  "NOAUTH", "WRONGPASS"])
def test_a_server_of_no_use_is_left(between, code):
    server, fake = between
    fake.handler = instead(b"INCR", f"-{code} so it is\r\n".encode())
    assert call(server) == "degraded"
    server.wait_log(f"connection lost: it answers {code};")
    wait_until(lambda: is_ready(server))
    assert fake.connections == 2
    assert call(server) == "complete"


def test_a_loading_server_is_asked_less_and_less(nginx, fake_redis, app):
    fake = fake_redis(handler=lambda command, _: b"-LOADING wait\r\n")
    server = place(nginx, app, fake)
    server.wait_log("no connection: PING was refused: LOADING")
    assert call(server) == "degraded"
    assert set(fake.names()) == {"PING"}
    assert status(server)["breaker"] == 1
    time.sleep(1.5)
    assert 2 <= fake.connections < 20


def test_an_error_text_is_not_repeated(between):
    """A server that does not know a command echoes its arguments."""
    server, fake = between
    fake.handler = instead(b"INCR", b"-ERR unknown command `INCR`, with "
                                    b"args beginning with: `s3cret`\r\n")
    call(server)
    fake.handler = instead(b"INCR", b"-\x1b[31mtricks \x00\r\n")
    call(server)
    assert "s3cret" not in server.error_log
    assert "tricks" not in server.error_log


@pytest.mark.parametrize("reply", [
    b"HTTP/1.1 400 Bad Request\r\n",
    b"$1\r\n5\r\n",                             # text where a number is due
    b"$-1\r\n",
    b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n",
    b"*1\r\n*1\r\n:1\r\n",
    b"*5\r\n",
    b"*-7\r\n",
    b":12345678901234567890\r\n",
    b":1x\r\n",
    b"$5\r\nabcdefg\r\n",                       # longer than it says
    b"$1000000000\r\n" + 70000 * b"x",
    b">2\r\n+message\r\n+a\r\n",                # RESP3
    b"%1\r\n+a\r\n:1\r\n",
    b":2\r\n:3\r\n",                            # one more than asked for
])
def test_what_is_no_reply_ends_the_connection(between, reply):
    server, fake = between
    pids = server.worker_pids()
    fake.handler = instead(b"INCR", reply)
    call(server)
    server.wait_log("connection lost: a reply nobody asked for")
    wait_until(lambda: is_ready(server))
    assert status(server)["errors"] == 1
    assert fake.connections == 2
    assert call(server) == "complete"
    assert server.worker_pids() == pids


def test_a_reply_nobody_waits_for(nginx, redis, fake_redis, app):
    """Unsolicited bytes on an idle connection abort hiredis' own client."""
    fake = fake_redis([expect("PING"), send(b"+PONG\r\n"), expect("PING"),
                       send(b"+PONG\r\n:1\r\n"), serve()], [serve()],
                      upstream=redis())
    server = place(nginx, app, fake)
    server.wait_log("connection lost: a reply nobody asked for; 0 writes")
    wait_until(lambda: is_ready(server))
    assert call(server) == "complete"


def test_a_number_that_is_none_is_not_believed(between):
    """The value is at fault, not the protocol."""
    server, fake = between
    fake.handler = instead(b"GET", b"$3\r\nsix\r\n")
    assert call(server, account="new") == "degraded"
    assert call(server, account="new") == "complete"
    assert fake.connections == 1


@pytest.mark.parametrize("last", [close, reset])
def test_half_a_reply(nginx, redis, fake_redis, app, last):
    """A reply cut off by the end of the connection is no reply."""
    fake = fake_redis([expect("PING"), send(b"+PONG\r\n"), expect("PING"),
                       send(b"+PONG\r\n"), skip(3),
                       send_half(b"+OK\r\n:100\r\n"), last()],
                      [serve()], upstream=redis(), tcp=True)
    server = place(nginx, app, fake)
    wait_until(lambda: is_ready(server))
    assert call(server) == "degraded"
    wait_until(lambda: is_ready(server))
    assert status(server)["lost"] == 1
    assert call(server) == "complete"


# since when Redis remembers the counter: SET NX found it, GET tells
MARKER = b"$-1\r\n$13\r\n1700000000000\r\n"


def test_replies_byte_by_byte(nginx, fake_redis, app):
    fake = fake_redis([
        expect("PING"), dribble(b"+PONG\r\n"),
        expect("PING"), skip(2), dribble(b"+PONG\r\n" + MARKER),
        skip(3), dribble(b"+OK\r\n:7\r\n$1\r\n5\r\n"),
        expect("INCR"), send(b":8\r\n")])
    server = place(nginx, app, fake)
    assert call(server) == "complete"
    (line,) = server.audit_lines("decision")
    assert 7 <= line["counter"]["hits"] <= 12


def test_replies_in_one_read_with_the_end(nginx, fake_redis, app):
    """All replies, then the end: they count, and the end is noticed."""
    fake = fake_redis([
        expect("PING"), send(b"+PONG\r\n"), expect("PING"), skip(2),
        send(b"+PONG\r\n" + MARKER), skip(3), send(b"+OK\r\n:7\r\n$-1\r\n"), close()])
    server = place(nginx, app, fake)
    assert call(server) == "complete"
    server.wait_log("connection lost: the server closed it; 0 writes")


def test_a_take_back_never_goes_below_zero(nginx, redis, fake_redis, app):
    """DECR of a key that a flush removed twice: what it broke is mended."""
    fake = fake_redis(upstream=redis(), handler=lambda command, reply: (
        b":-1\r\n" if command[0] == b"DECR" else None))
    server = place(nginx, app, fake, "timeout=100ms")
    wait_until(lambda: is_ready(server))
    fake.delay = 0.2
    assert call(server) == "degraded"
    fake.delay = 0
    wait_until(lambda: fake.names()[-1] == "EXPIRE")
    assert fake.names()[-4:] == ["SET", "DECR", "INCR", "EXPIRE"]
