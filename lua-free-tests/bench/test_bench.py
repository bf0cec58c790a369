"""
Owns: the tests of the measuring tools themselves.
Borrows: a C compiler; nginx for one test.
Called by: pytest.
"""

import json
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import threading
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bench                                            # noqa: E402
import bench_config as config                           # noqa: E402
import bench_process as proc                            # noqa: E402

ROOT = os.geteuid() == 0
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")


@pytest.fixture(scope="session")
def tool(tmp_path_factory):
    return proc.compile_load(tmp_path_factory.mktemp("tool"))


class Server:
    """Answers each request by a function of its number, one thread a peer."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self.lock = threading.Lock()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return

            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(peer,),
                             daemon=True).start()

    def _serve(self, peer):
        stream = peer.makefile("rb")

        try:
            while True:
                head = b""

                while not head.endswith(b"\r\n\r\n"):
                    line = stream.readline()

                    if not line:
                        return

                    head += line

                fields = dict(line.lower().split(": ", 1) for line in
                              head.decode().split("\r\n")[1:-2])
                body = stream.read(int(fields["content-length"]))

                with self.lock:
                    self.requests.append((head.decode(), fields, body))
                    number = len(self.requests)

                if self.answer(peer, number) is False:
                    return
        except OSError:
            pass
        finally:
            peer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_responses_in_every_shape(tool):
    shapes = [
        PLAIN,
        b"HTTP/1.1 429 Too Many\r\ntransfer-encoding:  chunked\r\n\r\n"
        b"5;x=y\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n"
        b"0\r\nX: y\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN.replace(b"200", b"201"),
    ]

    def bytewise(peer, number):
        for byte in shapes[number % 4]:
            peer.sendall(bytes([byte]))

    def whole(peer, number):
        peer.sendall(shapes[number % 4])

    for answer in bytewise, whole:
        with Server(answer) as server:
            got = proc.load(tool, server.port, None, seconds=0.4,
                            connections=1)

        assert set(got["statuses"]) == {"200", "201", "204", "429"}
        assert sum(got["statuses"].values()) == got["requests"]
        assert got["requests"] == len(server.requests)
        assert max(got["statuses"].values()) \
            - min(got["statuses"].values()) <= 1
        assert got["broken"] == got["timeouts"] == 0


@pytest.mark.parametrize("bad, closes", [
    (b"", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", True),
    (b"junk and more junk\r\n\r\n", False),
    (PLAIN + b"more", False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", False),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
     False),
])
def test_broken_responses_are_counted(tool, bad, closes):
    def answer(peer, number):
        if number % 5 == 0:
            peer.sendall(bad)
            return not closes

        peer.sendall(PLAIN)

    with Server(answer) as server:
        got = proc.load(tool, server.port, None, seconds=0.4,
                        connections=2)

    assert got["broken"] > 0 and got["timeouts"] == 0
    assert got["requests"] + got["broken"] == len(server.requests)
    assert got["connects"] >= got["broken"]


def test_connection_close_is_no_error(tool):
    def answer(peer, _):
        peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end")
        return False

    with Server(answer) as server:
        got = proc.load(tool, server.port, None, seconds=0.3,
                        connections=2)

    assert got["broken"] == 0
    assert got["requests"] == len(server.requests) > 2


def test_silence_is_a_timeout(tool):
    with Server(lambda peer, number: None) as server:
        got = proc.load(tool, server.port, None, seconds=0.2, timeout=0.3,
                        connections=3)

    assert got["timeouts"] >= 3 and got["requests"] == 0


def test_paced_latency_counts_from_the_intended_time(tool):
    """A stall of 0.4 s in a second delays four requests in ten, not one."""
    stall = threading.Event()

    def answer(peer, number):
        if number == 50:
            stall.wait(0.4)

        peer.sendall(PLAIN)

    with Server(answer) as server:
        got = proc.load(tool, server.port, None, seconds=1,
                        connections=1, rate=400, uniform=True)

    assert got["requests"] == 400 and got["unsent"] == 0
    assert got["p90_us"] > 200_000
    assert 390_000 < got["max_us"] < 600_000
    assert got["seconds"] == pytest.approx(1, abs=0.1)


def test_what_was_never_sent_is_reported(tool):
    def answer(peer, number):
        threading.Event().wait(0.1)
        peer.sendall(PLAIN)

    with Server(answer) as server:
        got = proc.load(tool, server.port, None, seconds=0.5, timeout=0.5,
                        connections=1, rate=200, uniform=True)

    assert got["unsent"] > 50
    assert got["p99_us"] > 500_000


def test_requests_are_what_they_claim(tool):
    def run(seed):
        with Server(lambda peer, _: peer.sendall(PLAIN) and None) as server:
            proc.load(tool, server.port, None, seconds=0.5, connections=1,
                      seed=seed, accounts=200, products=50, merchants=7)

        return server.requests

    one, again, other = run(5), run(5), run(6)
    n = min(len(one), len(again), len(other))
    assert n > 300
    assert one[:n] == again[:n] != other[:n]

    shops, accounts, sizes = {}, {}, []

    for head, fields, body in one:
        review = json.loads(body)
        product = head.split("/")[3]
        assert head.startswith(f"POST /v1/products/{product}/reviews HTTP/1.1")
        assert fields["content-type"] == "application/json"
        assert fields["x-device-id"]
        assert shops.setdefault(product, review["merchant_id"]) \
            == review["merchant_id"]
        assert 1 <= review["rating"] <= 5
        assert review["items"][0]["sku"] == product
        account = fields["x-account"]
        accounts[account] = accounts.get(account, 0) + 1
        sizes.append(len(body))

    assert 380 <= sum(sizes) / len(sizes) <= 400
    assert 40 < len(accounts) <= 200
    assert len(shops) <= 50 and len(set(shops.values())) <= 7
    assert max(accounts.values()) > 5 * len(one) / 200      # a hot key


@pytest.mark.skipif(NGINX is None, reason="there is no nginx")
def test_errors_are_refused(tool, tmp_path):
    """A variant that answers another status must end the benchmark."""
    a = types.SimpleNamespace(nginx=NGINX, connections=4, module=tmp_path)
    place = types.SimpleNamespace(a=a, directory=tmp_path, worker=None,
                                  others=None, load=tool,
                                  application=proc.listener())

    for line, fine in (("", True), ("return 503;", False)):
        variant = config.Variant("x", "test", "", line)

        with bench.Place(place, variant) as p:
            if fine:
                got = p.measure(0.3, 1)
                assert 1 < got["worker_us"] < 2000
                assert 1 < got["load_us"] < 2000
                p.stop()
                p.check_logs()
                p.sent += 1

                with pytest.raises(proc.BenchError, match="access.log"):
                    p.check_logs()
            else:
                with pytest.raises(proc.BenchError, match="503"):
                    p.measure(0.3, 1)


@pytest.mark.skipif(NGINX is None, reason="there is no nginx")
def test_a_worker_that_died_is_refused(tool, tmp_path):
    directory = pathlib.Path(tempfile.mkdtemp(dir=tmp_path))
    port = proc.free_port()
    text = config.render(config.VARIANTS["a"], directory, port,
                         proc.free_port(), "", None, ROOT)
    nginx = proc.Nginx(NGINX, directory, text, port, None)

    try:
        nginx.check()
        os.kill(nginx.worker, 11)
        proc.wait_for("a new worker", lambda: proc.child_of(
            nginx.process.pid) not in (None, nginx.worker), nginx.process)

        with pytest.raises(proc.BenchError, match="died"):
            nginx.check()
    finally:
        nginx.stop()
