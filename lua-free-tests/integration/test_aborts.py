"""Clients that vanish at any moment of the wait, over HTTP/1.1 and HTTP/2."""

import os
import random
import signal
import time

import pytest

from harness import processes, senders
from harness.answer import read_answer
from harness.h2client import H2Connection
from harness.ledger import aborted
from harness.settings import wait_until
from redis_place import is_ready, status

SOAK = os.environ.get("IG_SOAK") == "1"

# The first counter is taken back, the second never is. The body is read, so
# that some vanish while it comes.
HTTP = """
    integrity_zone    integrity:4m new_keys=1000000;
    integrity_redis   %%REDIS%% timeout=%%DEADLINE%%ms;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account $http_x_account;
    integrity_field   device  json:/device;
    integrity_counter hits    key=account window=1h;
    integrity_counter tries   key=account window=1h count=attempts;
    integrity_counter log     key=account window=1h exact max=10000;
    integrity_counter devices key=account window=1h distinct=device max=10000;
    integrity_counter total   key=account window=1h sum=device;
    integrity_rule    some "hits + tries + log + devices + total < 0" score=1;

    server {
        listen 127.0.0.1:%%PORT_APP%%;
        return 201;
    }
"""

SERVER = """
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_2%% http2;
        location / {
            integrity        on;
            integrity_action review.create;
            proxy_pass       http://127.0.0.1:%%PORT_APP%%;
        }
        location = /status { integrity_status; access_log off; }
"""

HEAD = {"X-Account": "a"}


def body(number):
    return b'{"device":%d,"padding":"%s"}' % (number, b"x" * 200)


class Vanisher:
    """A client that resets its connection at a moment of its own choice."""

    def __init__(self, server, number, random_):
        self.server = server
        self.data = senders.post_request("/", body(number), HEAD)
        if random_.random() < 0.15:
            self.data = self.data[:random_.randrange(len(self.data))]
        self.sock = None

    def begin(self):
        self.sock = self.server.connect()
        self.sock.sendall(self.data)

    def vanish(self):
        senders.reset(self.sock)


class Canceller:
    """A stream of an HTTP/2 connection; now and then all go at once."""

    def __init__(self, link, number, random_):
        self.link = link
        self.number = number
        self.whole = random_.random() < 0.1
        self.stream = None

    def begin(self):
        if self.link.gone:
            return
        self.stream = self.link.h2.send(
            "POST", "/", {"x-account": "a"}, body(self.number))

    def vanish(self):
        if self.link.gone or self.stream is None:
            return
        if self.whole:
            self.link.gone = True
            senders.reset(self.link.h2.socket)
        else:
            self.link.h2.cancel(self.stream)


class Link:
    """Holds the streams of a connection together."""

    def __init__(self, server):
        self.h2 = H2Connection(server, server.ports["PORT_2"])
        self.gone = False


def timetable(server, random_, count, length):
    """[(moment, what to do)] of `count` clients, in order; and the links."""
    links = [Link(server) for _ in range(count // 20)]
    moments = []
    for number in range(count):
        client = (Canceller(random_.choice(links), number, random_)
                  if number % 3 == 0 else Vanisher(server, number, random_))
        begin = random_.uniform(0, length)
        moments.append((begin, client.begin))
        moments.append((begin + random_.uniform(0, length / 2), client.vanish))
    return sorted(moments, key=lambda moment: moment[0]), links


def vanish(server, count, length, others=()):
    """`count` clients come and vanish; `others` are further (moment, action)s.

    Calls that are answered meanwhile are answered: those that stay to the end.
    """
    seed = random.randrange(1 << 30)
    print("seed", seed)
    random_ = random.Random(seed)
    moments, links = timetable(server, random_, count, length)
    stay = [server.connect() for _ in range(10)]
    for number, sock in enumerate(stay):
        sock.sendall(senders.post_request("/", body(count + number), HEAD))
    began = time.monotonic()
    for moment, act in sorted([*moments, *others],
                              key=lambda moment: moment[0]):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        act()
    for sock in stay:
        assert read_answer(sock).status == 201
        sock.close()
    for link in links:
        link.h2.socket.close()


def start(nginx, redis, deadline):
    server = nginx(http=HTTP, server=SERVER, REDIS=redis, DEADLINE=deadline)
    wait_until(lambda: is_ready(server))
    assert server.raw(senders.post_request("/", body(0), HEAD)).status == 201
    return server


def value(client, counter):
    """What Redis holds of a counter, of all its keys."""
    read = {b"string": lambda key: int(client.get(key)),
            b"zset": client.zcard,
            b"hash": lambda key: int(client.hget(key, "n"))}
    return sum(read[client.type(key)](key)
               for key in client.keys(f"ig:1:{{{counter}:*"))


def check(server, client):
    """Nothing is left, and Redis holds what was decided, not more."""
    decided = server.audit_lines("decision")
    left = aborted(server)
    assert server.get("/status").json()["calls"]["aborted"] == len(left) > 0
    events = {line["event"] for line in decided}
    assert len(events) == len(decided)
    assert not events & {line["event"] for line in left}
    complete = sum(line["evaluation"] == "complete" for line in decided)
    wait_until(lambda: value(client, "hits") == complete,
               what=f"{complete} hits")
    for counter in ("log", "total"):
        assert value(client, counter) == complete, counter
    assert value(client, "devices") <= complete
    assert complete <= value(client, "tries") <= complete + len(left)


def end(server):
    """A reload and a quit wait for nobody."""
    began = time.monotonic()
    server.reload()
    assert server.raw(senders.post_request("/", body(0), HEAD)).status == 201
    assert time.monotonic() - began < 3
    server.quit()


@pytest.mark.parametrize("again", range(10 if SOAK else 1))
def test_500_clients_vanish_while_redis_is_silent(nginx, redis, again):
    real = redis()
    server = start(nginx, real, 10000)
    before = server.descriptors()
    pids = server.worker_pids()
    real.freeze()
    vanish(server, 500, 1.2, [(1.0, real.thaw)])
    assert server.descriptors() == before
    check(server, real.client())
    assert status(server)["lost"] == status(server)["timeouts"] == 0
    assert server.worker_pids() == pids
    end(server)


@pytest.mark.parametrize("again", range(10 if SOAK else 1))
def test_500_clients_vanish_around_the_deadline(nginx, redis, again):
    """Some calls are late, some answered, some vanish in the same turn."""
    real = redis()
    server = start(nginx, real, 20)
    before = server.descriptors()
    pids = server.worker_pids()
    stalls = [(number * 0.06, real.freeze if number % 2 else real.thaw)
              for number in range(18)]
    vanish(server, 500, 1.2, [*stalls, (1.1, real.thaw)])
    wait_until(lambda: is_ready(server))
    assert server.descriptors() == before
    check_late(server, real.client())
    assert status(server)["timeouts"] > 0
    assert server.worker_pids() == pids
    end(server)


def check_late(server, client):
    """As above; attempts of late calls are taken back too."""
    decided = server.audit_lines("decision")
    complete = sum(line["evaluation"] == "complete" for line in decided)
    wait_until(lambda: value(client, "hits") == complete,
               what=f"{complete} hits")
    for counter in ("log", "total"):
        assert value(client, counter) == complete, counter
    assert complete <= value(client, "tries") \
        <= complete + len(aborted(server))


def test_vanished_for_good_with_redis(nginx, redis):
    """The server dies while the calls of vanished clients are in flight."""
    real = redis()
    server = start(nginx, real, 10000)
    before = server.descriptors()
    real.freeze()
    vanish(server, 100, 0.3, [(0.28, real.stop), (0.29, real.start)])
    wait_until(lambda: is_ready(server))
    assert server.descriptors() == before
    assert aborted(server)
    end(server)


def one_turn(server, *acts):
    """What happens while the worker is stopped meets it in one turn."""
    (worker,) = server.worker_pids()
    os.kill(worker, signal.SIGSTOP)
    wait_until(lambda: processes.state(worker) == "T")
    for act in acts:
        act()
        time.sleep(0.05)        # the order in which they reach the sockets
    os.kill(worker, signal.SIGCONT)


@pytest.mark.parametrize("first", ["client", "redis"])
def test_vanished_in_the_turn_of_the_answer(nginx, redis, first):
    """Before the answer it is aborted; after it, it is decided."""
    real = redis()
    server = start(nginx, real, 10000)
    before = server.descriptors()
    commands = real.commands()["incr"]
    real.freeze()
    socks = [server.connect() for _ in range(20)]
    for number, sock in enumerate(socks):
        sock.sendall(senders.post_request("/", body(number), HEAD))
    wait_until(lambda: len(processes.descriptors(server.worker_pids()[0]))
               >= len(before) + len(socks))

    def go():
        for sock in socks:
            senders.reset(sock)

    def thaw():
        real.thaw()
        wait_until(lambda: real.commands()["incr"] >= commands + len(socks))

    time.sleep(0.1)             # for the worker to ask Redis
    one_turn(server, *((go, thaw) if first == "client" else (thaw, go)))
    assert server.descriptors() == before
    decided = 20 if first == "redis" else 0
    assert len(server.audit_lines("decision")) == 1 + decided
    assert len(aborted(server)) == 20 - decided
    client = real.client()
    wait_until(lambda: value(client, "hits") == 1 + decided)
    assert value(client, "tries") == 1 + 20
    end(server)


def test_cancelled_in_the_segment_it_came_in(nginx, redis):
    """Streams that are opened and reset before nginx can do anything."""
    real = redis()
    server = start(nginx, real, 10000)
    before = server.descriptors()
    with H2Connection(server, server.ports["PORT_2"]) as h2:
        for number in range(50):
            h2.send_and_cancel("POST", "/", {"x-account": "a"}, body(number))
            h2.send_and_cancel("POST", "/", {"x-account": "b"}, b"")
        answer = h2.request("POST", "/", {"x-account": "a"}, body(50))
        assert answer.status == 201
    assert server.descriptors() == before
    check(server, real.client())
    end(server)
