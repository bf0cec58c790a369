"""A crowd of clients in a process of their own, every call timed.

with Crowd(nginx, requests, clients=8) as crowd:
    redis.freeze()
    ...
for call in crowd.calls: call.status, call.event, call.seconds, ...

harness/load.py is simpler and has threads in the test's own process, whose
answers wait for whatever Python does there. Here a loop of its own reads the
clock, and what the scheduler did meanwhile: `held` is for how long, during the
call, the workers named (`watch=`) and the loop itself were ready to run but had
no processor. On a machine with other work nothing else tells a slow nginx from
a busy machine.
"""

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path

if __package__:
    from .settings import PATIENCE


@dataclass
class Call:
    """`status` is 0 and `error` says why where no answer came.

    `client` is the number of the connection, `request` of the request sent;
    `event` is the X-Event header of the answer, or the problem's event id.
    """

    client: int
    request: int
    began: float        # time.monotonic()
    seconds: float
    held: float
    status: int
    event: str
    error: str


class Crowd:
    """`requests`: bytes each, taken in turn by all clients together.

    pause: seconds between two calls of one client; keepalive=False: a new
    connection for each call; watch: pids whose waits for a processor count;
    calls: so many in all; wait=False: do not wait for the first answer.
    """

    def __init__(self, nginx, requests, clients=8, pause=0.0, keepalive=True,
                 watch=(), port=None, calls=None, timeout=20.0, wait=True):
        self.calls = []
        self.clients = clients
        self._wait = wait
        self._process = None
        self._told = {
            "port": port or nginx.port, "clients": clients, "pause": pause,
            "keepalive": keepalive, "watch": list(watch), "calls": calls,
            "timeout": timeout * (PATIENCE if __package__ else 1),
            "requests": [b64encode(one).decode() for one in requests]}

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        self._process.stdin.write(json.dumps(self._told).encode() + b"\n")
        self._process.stdin.flush()
        if self._wait:
            self._process.stdout.readline()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends once every call under way has its answer."""
        if self._process is None:
            return self.calls
        if self._told["calls"] is None:
            self._process.stdin.close()
        lines = [line for line in self._process.stdout.read().splitlines()
                 if line.startswith(b"[")]
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        self._process = None
        self.calls = [Call(*json.loads(line)) for line in lines]
        return self.calls

    @property
    def errors(self):
        return [call.error for call in self.calls if call.error]

    def between(self, begin, end):
        """Calls that began and ended within these moments."""
        return [call for call in self.calls
                if call.began >= begin and call.began + call.seconds <= end]


# What follows runs in the process of its own.

def run_delay(pid):
    """For how long the process was ready but did not run, in seconds."""
    try:
        with open(f"/proc/{pid}/schedstat", "rb") as stat:
            return int(stat.read().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


class _Client:
    """One connection at a time, one call at a time."""

    def __init__(self, loop, number):
        self.loop = loop
        self.number = number
        self.sock = None
        self.data = b""
        self.out = b""
        self.due = 0.0      # when to begin the next call; None: in a call
        self.began = 0.0
        self.held = 0.0
        self.request = 0

    def begin(self, now):
        number = self.loop.next_call()
        if number is None:
            self.due = float("inf")
            self.drop()
            return
        self.request = number % len(self.loop.requests)
        self.out = self.loop.requests[self.request]
        self.data = b""
        self.due = None
        self.began = now
        self.held = self.loop.held()
        try:
            if self.sock is None:
                self.connect()
            self.writable()
        except OSError as problem:
            self.end(0, "", f"{type(problem).__name__}: {problem}")

    def connect(self):
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.sock.connect(("127.0.0.1", self.loop.told["port"]))
        except BlockingIOError:
            pass
        self.loop.selector.register(
            self.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def drop(self):
        if self.sock is not None:
            self.loop.selector.unregister(self.sock)
            self.sock.close()
            self.sock = None

    def writable(self):
        while self.out:
            try:
                self.out = self.out[self.sock.send(self.out):]
            except BlockingIOError:
                self.wants(selectors.EVENT_READ | selectors.EVENT_WRITE)
                return
        self.wants(selectors.EVENT_READ)

    def wants(self, events):
        self.loop.selector.modify(self.sock, events, self)

    def ready(self, events):
        try:
            if self.due is None and self.out and events & selectors.EVENT_WRITE:
                self.writable()
            if events & selectors.EVENT_READ:
                self.readable()
        except OSError as problem:
            self.fail(f"{type(problem).__name__}: {problem}")

    def readable(self):
        try:
            part = self.sock.recv(65536)
        except BlockingIOError:
            return
        if not part:
            self.fail("closed without an answer")
            return
        self.data += part
        answer = parse(self.data)
        if answer:
            status, event, close = answer
            self.end(status, event, "")
            if close or not self.loop.told["keepalive"]:
                self.drop()

    def fail(self, why):
        if self.due is None:
            self.end(0, "", why)
        self.drop()

    def end(self, status, event, error):
        now = time.monotonic()
        self.loop.record([self.number, self.request, self.began,
                          now - self.began, self.loop.held() - self.held,
                          status, event, error])
        self.due = now + self.loop.told["pause"]
        if error:
            self.drop()


def parse(data):
    """(status, event, whether it closes) of a whole answer, or None."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = head.split(b"\r\n")
    status = int(first.split(b" ")[1])
    if status == 100:
        return parse(body)
    fields = {name.lower(): value.strip() for name, _, value
              in (line.partition(b":") for line in lines)}
    if len(body) < int(fields.get(b"content-length", 0)):
        return None
    event = fields.get(b"x-event", b"").decode()
    if not event and b'"event":"' in body:
        event = body.partition(b'"event":"')[2][:26].decode()
    return status, event, fields.get(b"connection") == b"close"


class _Loop:
    def __init__(self, told):
        self.told = told
        self.requests = [b64decode(one) for one in told["requests"]]
        self.selector = selectors.DefaultSelector()
        self.results = []
        self.count = 0
        self.stopping = False
        self.clients = [_Client(self, number)
                        for number in range(told["clients"])]

    def held(self):
        return run_delay("self") + max(
            [run_delay(pid) for pid in self.told["watch"]], default=0.0)

    def next_call(self):
        if self.stopping or self.count == self.told["calls"]:
            return None
        self.count += 1
        return self.count - 1

    def record(self, result):
        if not self.results:
            print("began", flush=True)
        self.results.append(result)

    def turn(self):
        now = time.monotonic()
        for client in self.clients:
            if client.due is not None and client.due <= now:
                client.begin(time.monotonic())
            elif client.due is None \
                    and now - client.began > self.told["timeout"]:
                client.fail("no answer in time")
        if self.ended():
            return
        wait = min((client.due - now for client in self.clients
                    if client.due is not None), default=1.0)
        for key, events in self.selector.select(max(0.0, min(wait, 0.5))):
            if key.data is None:
                self.stopping = not os.read(key.fd, 65536)
                if self.stopping:
                    self.selector.unregister(key.fd)
            elif key.data.sock is key.fileobj:
                key.data.ready(events)

    def ended(self):
        return all(client.due == float("inf") for client in self.clients)

    def run(self):
        self.selector.register(0, selectors.EVENT_READ, None)
        while not self.ended():
            self.turn()
        sys.stdout.write("\n".join(json.dumps(result)
                                   for result in self.results) + "\n")


if __name__ == "__main__":
    _Loop(json.loads(sys.stdin.buffer.raw.readline())).run()
