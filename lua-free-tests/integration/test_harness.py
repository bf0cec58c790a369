"""The servers and clients the other tests stand on, on a plain nginx."""

import os
import signal
import time

import pytest

from harness import processes, senders
from harness.fake_redis import (close, dribble, expect, nonsense, send,
                                send_half, serve, silence)
from harness.h2client import H2Connection
from harness.load import Load
from harness.settings import wait_until

PROXY = """
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_2%% http2;
        location / { proxy_pass http://%%APP%%; }
"""


@pytest.fixture
def plain(nginx, app):
    """nginx without the module, before the stub application."""
    return nginx(module=False, server=PROXY, APP=app)


def test_requests_reach_the_application(plain, app):
    app.answer(201, {"X-Stub": "yes"}, b"made\n")
    answer = plain.post("/v1/orders?a=1", json={"a": 1})
    assert (answer.status_code, answer.text) == (201, "made\n")
    assert answer.headers["x-stub"] == "yes"
    (call,) = app.requests
    assert (call.method, call.path, call.json()) == (
        "POST", "/v1/orders", {"a": 1})
    assert plain.access(1)[0]["uri"] == "/v1/orders?a=1"


def test_application_answers_as_told(plain, app):
    app.answer(404, path="/missing")
    app.answer_once(503)
    app.on(lambda call: None if call.path != "/slow" else app_reply())
    assert [plain.get(path).status_code
            for path in ("/", "/", "/missing", "/slow")] == [503, 200, 404,
                                                              202]
    app.answer(abort=True)
    assert plain.get("/").status_code == 502


def app_reply():
    from harness.application import Reply
    return Reply(202, delay=0.05)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_bodies_in_pieces_arrive_whole(plain, app, size):
    body = b'{"content":"' + b"x" * 300 + b'"}'
    assert senders.post_chunked(plain, "/a", body, size=size).status == 200
    assert senders.post_slowly(plain, "/b", body, size=max(size, 20)
                               ).status == 200
    with H2Connection(plain, plain.ports["PORT_2"]) as h2:
        streams = [h2.send("POST", "/c", body=body, size=size)
                   for _ in range(3)]
        assert [h2.wait(stream).status for stream in streams] == [200] * 3
    assert [call.body for call in app.requests] == [body] * 5
    assert plain.access(5)[-1]["protocol"] == "HTTP/2.0"


def test_reset_clients_leave_nothing(plain):
    for _ in range(5):
        sock = plain.connect()
        sock.sendall(senders.post_request("/", b"{}"))
        senders.reset(sock)
    assert plain.raw(senders.post_request("/", b"{}")).status == 200


def test_reload_and_upgrade_under_load(plain):
    request = senders.head("GET", "/", {"Connection": "close"})
    with Load(plain, request, clients=2, keepalive=False) as load:
        load.wait(20)
        first = plain.worker_pids()
        plain.reload()
        second = plain.worker_pids()
        assert not set(first) & set(second)
        old = plain.upgrade()
        assert plain.master != old and not processes.alive(old)
        load.wait(20)
    assert load.errors == []
    assert {result.status for result in load.results} == {200}
    assert plain.quit() < 5


def test_reopen_waits_for_every_process(plain):
    plain.get("/before")
    plain.access(1)
    moved = plain.access_path.with_name("access.log.1")
    plain.access_path.rename(moved)
    plain.reopen(moved)
    plain.get("/after")
    assert [line["uri"] for line in plain.access(1)] == ["/after"]


def test_a_refused_configuration_keeps_the_workers(plain):
    plain.configure(server="nonsense;")
    status, said = plain.test()
    assert status != 0 and 'unknown directive "nonsense"' in said
    plain.refuse_reload("unknown directive")
    assert plain.get("/").status_code == 200


def test_oracles_see_a_killed_worker(nginx, app):
    victim = nginx(module=False, server=PROXY, APP=app)
    os.kill(victim.worker_pids()[0], signal.SIGKILL)
    victim.wait_log("exited on signal")
    problems = victim.finish()
    assert any("exited on signal 9" in problem for problem in problems)
    victim.declare(log=["exited on signal 9"])


def test_oracles_see_a_slow_quit(nginx, app):
    app.answer(delay=1.0)
    slow = nginx(module=False, server=PROXY, APP=app)
    sock = slow.connect()
    sock.sendall(senders.head("GET", "/"))
    wait_until(lambda: app.requests)
    slow.declare(quit_limit=0.1)
    problems = slow.finish()
    sock.close()
    assert any(problem.startswith("quit: took") for problem in problems)
    slow.declare(quit_limit=10)


def test_two_nginx_at_once(nginx, app):
    one = nginx(module=False, server=PROXY, APP=app)
    two = nginx(module=False, server=PROXY, APP=app, workers=2)
    assert one.port != two.port
    assert len(two.worker_pids()) == 2
    assert one.get("/").status_code == two.get("/").status_code == 200


@pytest.mark.parametrize("arguments", [
    {}, {"tcp": True}, {"password": "s3cret"},
    {"user": "edge", "password": "s3cret", "tcp": True},
])
def test_real_redis(redis, arguments):
    server = redis(**arguments)
    assert server.client().incr("a") == 1
    assert server.commands()["incrby"] == 1
    server.restart()
    assert server.client().get("a") is None
    server.freeze()
    with pytest.raises(Exception, match="[Tt]imeout"):
        server.client(socket_timeout=0.1).ping()
    server.thaw()
    assert server.client().ping()
    server.stop()
    assert not server.alive()


def connect(fake):
    import redis as package
    return package.Redis(unix_socket_path=str(fake.path), socket_timeout=2)


def test_scripted_redis(fake_redis):
    fake = fake_redis([expect("GET", "a"), dribble(b"$1\r\n7\r\n"), expect(),
                       send_half(b":12345\r\n"), close()],
                      [nonsense()], [silence()])
    client = connect(fake)
    assert client.get("a") == b"7"
    with pytest.raises(Exception, match="closed|[Cc]onnection"):
        client.execute_command("INCR", "a")
    with pytest.raises(Exception, match="HTTP"):
        connect(fake).ping()
    assert fake.names()[:2] == ["GET", "INCR"]
    assert fake.problems == []


def test_a_script_tells_what_it_missed(fake_redis):
    fake = fake_redis([expect("INCR"), send(b":1\r\n")])
    with pytest.raises(Exception):
        connect(fake).get("a")
    wait_until(lambda: fake.problems)
    assert "GET" in fake.problems.pop()


def test_redis_between(redis, fake_redis):
    fake = fake_redis(
        [serve()], upstream=redis(),
        handler=lambda command, reply:
        b"-LOADING not yet\r\n" if command[0] == b"TTL" else None)
    client = connect(fake)
    assert client.incrby("a", 5) == 5
    assert client.mget("a", "b") == [b"5", None]
    with pytest.raises(Exception, match="not yet"):
        client.ttl("a")
    fake.delay = 0.2
    begin = time.monotonic()
    client.get("a")
    assert time.monotonic() - begin >= 0.2
    fake.stop()
    with pytest.raises(Exception):
        client.get("a")
    fake.start()
    assert client.get("a") == b"5"
