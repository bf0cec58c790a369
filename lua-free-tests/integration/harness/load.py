"""Calls under load, from threads, while a test does something to the servers.

with Load(nginx, post_request("/v1/reviews", body), clients=8) as load:
    redis.freeze()
    ...
assert all(result.status == 200 for result in load.results)
"""

import itertools
import socket
import threading
import time
from dataclasses import dataclass

from .answer import read_answer


@dataclass
class Result:
    """One call. `status` is 0 and `error` says why where no answer came."""

    status: int
    began: float        # time.monotonic()
    seconds: float
    headers: dict
    error: str = ""


class Load:
    """`request`: bytes, or a function of the call's number returning bytes.

    Each client keeps one connection and opens another where it was closed
    between two calls; a connection closed within a call is an error. Across a
    reload take keepalive=False: a server may close an idle connection in the
    very moment the client writes, and no client can tell.
    """

    def __init__(self, nginx, request, clients=4, pause=0.0, timeout=20.0,
                 calls=None, keepalive=True):
        self.results = []
        self._nginx = nginx
        self._request = request if callable(request) else lambda _: request
        self._pause = pause
        self._timeout = timeout
        self._calls = calls
        self._keepalive = keepalive
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._client, daemon=True)
                         for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends once every call under way has its answer."""
        if self._calls is None:
            self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait(self, count, timeout=20.0):
        """Until `count` more calls have ended."""
        goal = len(self.results) + count
        deadline = time.monotonic() + timeout
        while len(self.results) < goal:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(self.results)} of {goal} calls "
                                     f"ended in {timeout} s")
            time.sleep(0.005)

    def since(self, moment):
        """The results of calls that began after time.monotonic() `moment`."""
        return [result for result in self.results if result.began >= moment]

    @property
    def errors(self):
        return [result.error for result in self.results if result.error]

    def _next(self):
        number = next(self._numbers)
        if self._calls is not None and number >= self._calls:
            return None
        return number

    def _client(self):
        sock = None
        while not self._stop.is_set() and (number := self._next()) is not None:
            sock = self._call(sock, self._request(number))
            if self._pause:
                time.sleep(self._pause)
        if sock:
            sock.close()

    def _call(self, sock, data):
        began = time.monotonic()
        status, headers, error = 0, {}, ""
        try:
            if sock is None or _closed(sock):
                sock = self._nginx.connect(timeout=self._timeout)
            sock.sendall(data)
            answer = read_answer(sock)
            status, headers = answer.status, answer.headers
        except Exception as problem:  # every failure is a result
            error = f"{type(problem).__name__}: {problem}"
        self.results.append(Result(status, began, time.monotonic() - began,
                                   headers, error))
        if (error or not self._keepalive
                or headers.get("connection") == "close"):
            if sock:
                sock.close()
            return None
        return sock


def _closed(sock):
    """Whether the server has closed an idle connection."""
    sock.setblocking(False)
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        sock.settimeout(20.0)
