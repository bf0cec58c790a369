"""The life of the connection to Redis: made, lost, silent, given up, closed."""

import itertools
import os
import re
import signal
import time

import pytest

from harness import processes, senders
from harness.fake_redis import expect, send, serve, silence, skip, sleep
from harness.load import Load
from harness.settings import PATIENCE, wait_until
from redis_place import (EVERY_KIND, READ_EVERY_KIND, call, count_key,
                         is_ready, place, redis_errors, status)


def counted(client, counter="hits"):
    """What Redis holds for the counter's only key; 0 where there is none."""
    key = count_key(client, counter)
    return int(client.get(key)) if key else 0


def own_window():
    """Not in the first seconds of an hour, where notes are not kept yet."""
    wait_until(lambda: time.time() % 3600 > 2)


@pytest.mark.parametrize("tcp", [False, True])
def test_calls_are_counted(nginx, redis, app, tcp):
    real = redis(tcp=tcp)
    server = place(nginx, app, real)
    assert [call(server) for _ in range(3)] == ["complete"] * 3
    assert counted(real.client()) == 3
    assert status(server)["connects"] == 1


def test_every_key_has_a_lifetime(nginx, redis, app):
    real = redis()
    server = place(nginx, app, real, counters=EVERY_KIND,
                   rules=READ_EVERY_KIND)
    assert [call(server, device=device) for device in "xyx"] \
        == ["complete"] * 3
    client = real.client()
    wait_until(lambda: counted(client, "done") == 3)
    keys = client.keys("*")
    kinds = {key.decode().split("{")[1].split(":")[0].rstrip("}")
             for key in keys}
    assert kinds == {"hits", "log", "devices", "total", "average", "since",
                     "seen", "done"}
    for key in keys:
        assert key.startswith(b"ig:1:{")
        assert 3600 < client.ttl(key) <= 315360000, key


def test_only_plain_commands(nginx, redis, app):
    real = redis()
    server = place(nginx, app, real, counters=EVERY_KIND,
                   rules=READ_EVERY_KIND + "integrity_rule stop "
                   "'hits > 2' then=deny;")
    for _ in range(5):
        server.post("/", json={}, headers={
            "X-Account": "a", "X-Device": "d", "X-Amount": "1"})
    assert set(real.commands()) <= {
        "ping", "get", "mget", "set", "incr", "incrby", "decr", "expire",
        "zadd", "zrem", "zscore", "zcount", "zremrangebyrank",
        "hset", "hsetnx", "hmget", "hincrby",
        "keys", "info", "hello", "client", "command", "client|setinfo"}


def test_a_known_key_costs_one_command(nginx, redis, app):
    own_window()
    real = redis()
    server = place(nginx, app, real)
    call(server)
    before = real.commands()
    for _ in range(5):
        call(server)
    after = real.commands()
    assert after["incr"] - before["incr"] == 5
    assert {name: after[name] - before.get(name, 0)
            for name in ("set", "get", "expire") if name in after} \
        in ({"set": 0, "get": 0}, {"set": 0, "get": 0, "expire": 0})


def test_a_flushed_key_gets_its_lifetime_again(nginx, redis, app):
    own_window()
    real = redis()
    server = place(nginx, app, real)
    call(server)
    call(server)
    real.client().flushall()
    assert call(server) == "complete"
    client = real.client()
    wait_until(lambda: client.ttl(count_key(client)) > 3600)
    assert counted(client) == 1
    # and the note is gone: the next call asks for everything again
    before = real.commands()
    assert call(server) == "complete"
    after = real.commands()
    assert after["get"] == before["get"] + 1
    assert after["set"] == before["set"] + 1


@pytest.mark.parametrize("redis_has,options", [
    ({"password": "s3cret"}, "password_file=%%DIR%%/password"),
    ({"password": "s3cret", "user": "edge", "tcp": True},
     "user=edge password_file=%%DIR%%/password"),
    ({}, "db=3"),
    ({"password": "s3cret"}, "db=3 password_file=%%DIR%%/password"),
])
def test_password_user_and_database(nginx, redis, app, folder, redis_has,
                                    options):
    password = folder / "password"
    password.write_text("s3cret\n")
    password.chmod(0o600)
    real = redis(**redis_has)
    server = place(nginx, app, real, options.replace(
        "%%DIR%%/password", str(password)))
    assert call(server) == "complete"
    where = real.client(db=3) if "db=3" in options else real.client()
    assert counted(where) == 1


def test_a_wrong_password_is_told_but_not_shown(nginx, redis, app, folder):
    password = folder / "password"
    password.write_text("n0t-the-one\n")
    password.chmod(0o600)
    server = place(nginx, app, redis(password="s3cret"),
                   f"password_file={password}", level="debug")
    server.wait_log("AUTH was refused: WRONGPASS")
    assert call(server) == "degraded"
    assert "n0t-the-one" not in server.error_log


@pytest.mark.parametrize("real,options,pattern", [
    ({"password": "s3cret"}, "", "PING was refused: NOAUTH"),
    ({}, "db=99", "SELECT was refused: ERR"),
])
def test_a_refused_handshake_is_told(nginx, redis, app, real, options,
                                     pattern):
    server = place(nginx, app, redis(**real), options)
    server.wait_log(pattern)
    assert call(server) == "degraded"
    assert status(server)["up"] == 0


def test_no_call_is_sent_before_the_database_is_selected(nginx, fake_redis,
                                                         app):
    """A refused SELECT must not let counts into database 0."""
    fake = fake_redis(handler=lambda command, _: {
        b"SELECT": b"-ERR DB index is out of range\r\n"
    }.get(command[0], b"+OK\r\n"))
    server = place(nginx, app, fake, "db=7")
    server.wait_log("SELECT was refused")
    call(server)
    assert set(fake.names()) == {"SELECT"}


def test_the_first_calls_wait_for_the_first_connection(nginx, fake_redis,
                                                       redis, app):
    fake = fake_redis([expect("PING"), sleep(0.3), send(b"+PONG\r\n"),
                       serve()], upstream=redis())
    server = place(nginx, app, fake, "timeout=5s")
    assert status(server)["up"] == 0
    assert call(server) == "complete"


def test_a_silent_handshake_is_given_up(nginx, fake_redis, redis, app):
    fake = fake_redis([silence()], [serve()], upstream=redis())
    server = place(nginx, app, fake, "connect_timeout=200ms")
    server.wait_log("connecting took too long")
    wait_until(lambda: is_ready(server))
    assert call(server) == "complete"


def test_a_lost_connection_is_made_again(nginx, redis, app):
    real = redis()
    server = place(nginx, app, real)
    pids = server.worker_pids()
    assert call(server) == "complete"
    real.stop()
    server.wait_log(r"connection lost")
    assert call(server) == "degraded"
    real.start()
    wait_until(lambda: is_ready(server))
    assert call(server) == "complete"
    assert counted(real.client()) == 1
    assert server.worker_pids() == pids


def test_the_log_is_not_flooded(nginx, redis, app):
    """Every attempt and every call while it is gone: one line a second."""
    real = redis()
    server = place(nginx, app, real)
    real.stop()

    def told():
        call(server)
        return re.search(r"connect\(\) failed.* \(\d+ more such lines\)",
                         server.error_log)

    wait_until(told, timeout=20)
    seconds = [second for second, _ in redis_errors(server)]
    assert len(seconds) >= 2
    assert len(seconds) == len(set(seconds))


def test_a_late_reply_is_taken_back(nginx, fake_redis, redis, app):
    real = redis()
    fake = fake_redis(upstream=real)
    server = place(nginx, app, fake, "timeout=200ms")
    assert call(server) == "complete"
    fake.delay = 0.4
    assert call(server) == "degraded"
    fake.delay = 0
    wait_until(lambda: "DECR" in fake.names())
    wait_until(lambda: counted(real.client()) == 1)
    assert status(server)["timeouts"] == 1
    assert call(server) == "complete"
    assert fake.connections == 1


def test_a_quit_waits_for_what_must_be_taken_back(nginx, fake_redis, redis,
                                                  app):
    real = redis()
    fake = fake_redis(upstream=real)
    server = place(nginx, app, fake, "timeout=100ms")
    assert call(server) == "complete"
    fake.delay = 0.15
    assert call(server) == "degraded"
    server.quit()
    assert "DECR" in fake.names()
    wait_until(lambda: counted(real.client()) == 1)


def test_a_quit_waits_for_a_second_at_most(nginx, fake_redis, app):
    fake = fake_redis([expect("PING"), send(b"+PONG\r\n"), silence()])
    server = place(nginx, app, fake, "timeout=50ms")
    assert call(server) == "degraded"
    assert server.quit() < 1.5 * PATIENCE


def test_a_stalled_server_is_waited_for_by_few(nginx, redis, app):
    """Five calls wait for their deadline; then the breaker opens."""
    real = redis()
    server = place(nginx, app, real, "timeout=200ms")
    assert call(server) == "complete"
    real.freeze()
    assert [call(server) for _ in range(12)] == ["degraded"] * 12
    assert status(server)["timeouts"] == 5
    assert status(server)["breaker"] == 1
    real.thaw()
    wait_until(lambda: is_ready(server))
    assert call(server) == "complete"
    assert status(server)["connects"] == 1
    assert status(server)["lost"] == 0
    # the five late ones were taken back over the same connection
    wait_until(lambda: counted(real.client()) == 2)


def test_take_backs_wait_for_a_stalled_server(nginx, fake_redis, redis, app):
    """The breaker is open when the first of several late calls is settled."""
    real = redis()
    fake = fake_redis(upstream=real)
    server = place(nginx, app, fake, "timeout=60ms")
    wait_until(lambda: is_ready(server))
    fake.delay = 0.05
    request = senders.post_request("/", b"{}", {"X-Account": "a"})
    with Load(server, request, clients=8, calls=8) as load:
        pass
    assert load.errors == []
    assert status(server)["breaker"] == 1
    wait_until(lambda: is_ready(server), timeout=20)
    fake.delay = 0
    complete = [line for line in server.audit_lines("decision")
                if line["evaluation"] == "complete"]
    wait_until(lambda: fake.names().count("DECR") == 8 - len(complete))
    wait_until(lambda: counted(real.client()) == len(complete))
    assert fake.connections == 1


@pytest.mark.alone
def test_an_open_breaker_lets_nobody_wait(nginx, redis, app):
    real = redis()
    server = place(nginx, app, real, "timeout=500ms")
    real.freeze()
    for _ in range(5):
        call(server)
    began = time.monotonic()
    assert [call(server) for _ in range(20)] == ["degraded"] * 20
    assert time.monotonic() - began < 1.0 * PATIENCE
    real.thaw()


def test_no_count_is_lost_to_short_stalls(nginx, redis, app):
    """Late calls are taken back, answered ones counted: to the last one."""
    real = redis()
    server = place(nginx, app, real, "timeout=20ms")
    request = senders.post_request("/", b"{}", {"X-Account": "a"})
    with Load(server, request, clients=4) as load:
        for _ in range(4):
            load.wait(30)
            real.freeze()
            time.sleep(0.1)
            real.thaw()
        load.wait(30)
    assert load.errors == []
    lines = server.audit_lines("decision")
    assert len(lines) == len(load.results)
    complete = [line for line in lines if line["evaluation"] == "complete"]
    assert 0 < len(complete) < len(lines)
    wait_until(lambda: is_ready(server))
    assert status(server)["lost"] == 0
    wait_until(lambda: counted(real.client()) == len(complete))


def test_a_dead_silence_is_given_up(nginx, redis, app):
    """A server that stays silent for five seconds is connected to anew."""
    real = redis()
    server = place(nginx, app, real, "timeout=50ms connect_timeout=200ms")
    real.freeze()
    for _ in range(6):
        call(server)
    server.wait_log("connection lost: it stays silent")
    real.thaw()
    wait_until(lambda: is_ready(server))
    assert status(server)["connects"] == 2
    assert call(server) == "complete"


def test_writes_nobody_waits_for_do_not_pile_up(nginx, fake_redis, app):
    """4096 batches in flight are the bound; the calls themselves go on."""
    fake = fake_redis([expect("PING"), send(b"+PONG\r\n"), expect("PING"),
                       send(b"+PONG\r\n"), silence()])
    server = nginx(
        http="""
            integrity_zone    integrity:8m;
            integrity_redis   %%REDIS%%;
            integrity_secret  %%SECRET%%;
            integrity_field   account $http_x_account;
            integrity_counter done on=review.create key=account window=1h
                              count=completed;
        """,
        server="""
            location / {
                integrity        on;
                integrity_action review.create;
                proxy_pass       http://%%APP%%;
            }
            location = /status { integrity_status; }
        """, REDIS=fake, APP=app)
    wait_until(lambda: status(server)["up"] == 1)
    request = senders.post_request("/", b"{}", {"X-Account": "a"})
    with Load(server, request, clients=4, calls=4300) as load:
        pass
    assert load.errors == []
    assert {result.status for result in load.results} == {200}
    assert "too many batches in flight" in server.error_log
    # nobody waits, so only the probe finds that nothing comes back
    server.wait_log("connection lost: no reply to PING", timeout=15)


def decision(server, account):
    server.post("/", json={}, headers={"X-Account": account})
    line = server.audit_lines("decision")[-1]
    return line["evaluation"], line["decision"]


def test_warm_up_restarts_with_the_data(nginx, redis, app):
    """Never seen is not known by a server that lost its data just now."""
    real = redis()
    server = place(nginx, app, real, counters="""
        integrity_counter seen on=review.create key=account window=1h last
                          warmup=3s;
    """, rules="integrity_rule fresh '!has(seen)' then=hold;")
    warming, warm = ("complete", "allow"), ("complete", "hold")
    names = (f"account-{number}" for number in itertools.count())

    def since():
        (key,) = real.client().keys("ig:1:{seen}:since.*")
        return int(real.client().get(key))

    wait_until(lambda: is_ready(server))
    assert decision(server, next(names)) == warming
    first = since()
    assert abs(first / 1000 - time.time()) < 10
    wait_until(lambda: decision(server, next(names)) == warm)
    real.restart()
    wait_until(lambda: decision(server, next(names)) == warming, timeout=3)
    wait_until(lambda: is_ready(server))
    assert since() > first
    wait_until(lambda: decision(server, next(names)) == warm)


def test_an_exiting_worker_rests_and_comes_back(nginx, redis, app):
    """An old worker holds no idle connection, but counts what it still does."""
    real = redis()
    server = place(nginx, app, real)
    client = real.client()

    def connections():
        return len([one for one in client.client_list()
                    if int(one["id"]) != client.client_id()])

    def connected():
        return status(server)["connects"]

    assert call(server) == "complete"
    (old,) = server.worker_pids()
    sock = server.connect()
    request = senders.post_request("/", b"{}", {"X-Account": "a"})
    sock.sendall(request[:20])
    # answered after those bytes were read, so the old worker is not idle
    assert call(server) == "complete"

    server.reload(wait_old=False)
    # at once, not when it finds itself idle five seconds later
    wait_until(lambda: connected() == 2 and connections() == 1, timeout=1.5)
    assert processes.alive(old)

    sock.sendall(request[20:])
    assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")
    sock.close()
    assert connected() == 3
    wait_until(lambda: not processes.alive(old))
    assert counted(client) == 3


def test_reload_under_load_loses_no_count(nginx, redis, app):
    real = redis()
    server = place(nginx, app, real)
    request = senders.head("POST", "/", {
        "X-Account": "a", "Content-Length": "0", "Connection": "close"})
    with Load(server, request, clients=4, keepalive=False) as load:
        for _ in range(3):
            load.wait(30)
            server.reload()
        load.wait(30)
    assert load.errors == []
    assert counted(real.client()) == len(load.results)


def test_a_killed_worker_leaves_the_next_one_well(nginx, redis, app):
    real = redis()
    server = place(nginx, app, real)
    call(server)
    (pid,) = server.worker_pids()
    server.declare(log=["exited on signal 9"], verify=[0, 1, 2])
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server.worker_pids() not in ([], [pid]))
    assert call(server) == "complete"
    assert counted(real.client()) == 2
