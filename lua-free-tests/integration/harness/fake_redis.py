"""A Redis that does what a real one will not: scripted, or a liar between.

Scripted: one list of steps per connection, the last list for all that follow.

    fake_redis([expect("INCR"), send(b":1\\r\\n"), close()])

Between: `upstream=redis` passes commands to a real server, and `handler` may
change any reply (or answer without asking; `reply` is None without upstream):

    fake_redis(upstream=redis, handler=lambda command, reply:
               b"-LOADING\\r\\n" if command[0] == b"INCR" else None)
"""

import socket
import struct
import threading
import time
from pathlib import Path

from . import resp
from .settings import PATIENCE


# Steps of a script: functions of the connection.

def expect(*words):
    """Reads one command; it must begin with `words` (case of the first free).

    What comes instead is a problem, told when the test ends.
    """
    wanted = [word.encode() if isinstance(word, str) else word
              for word in words]
    if wanted:
        wanted[0] = wanted[0].upper()

    def step(link):
        command = link.read()
        if command[:len(wanted)] != wanted:
            link.fake.problems.append(f"expected {wanted}, got {command}")
            raise EOFError
    return step


def skip(count):
    """Reads `count` commands, whatever they are."""
    def step(link):
        for _ in range(count):
            link.read()
    return step


def send(data):
    return lambda link: link.write(data)


def send_half(data):
    """The first half only: the rest never comes."""
    return lambda link: link.write(data[:max(1, len(data) // 2)])


def dribble(data, pause=0.001):
    """Byte by byte, each in a segment of its own."""
    def step(link):
        for index in range(len(data)):
            link.write(data[index:index + 1])
            time.sleep(pause)
    return step


def sleep(seconds):
    return lambda link: link.fake.stopping.wait(seconds)


def close():
    def step(link):
        raise EOFError
    return step


def reset():
    """Closes with RST (over TCP)."""
    def step(link):
        link.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        raise EOFError
    return step


def silence():
    """Reads on and answers nothing until the client closes."""
    def step(link):
        while True:
            link.read()
    return step


def nonsense(data=b"HTTP/1.1 400 Bad Request\r\nServer: no redis\r\n\r\n"):
    """Answers every command with bytes that are no reply."""
    def step(link):
        while True:
            link.read()
            link.write(data)
    return step


def serve():
    """Hands the connection to the handler and the upstream."""
    return lambda link: link.serve()


class _Link:
    """One connection of a client."""

    def __init__(self, fake, sock):
        self.fake = fake
        self.sock = sock
        self._stream = resp.Stream(sock)
        self._upstream = None

    def read(self):
        command = self._stream.command()
        self.fake.commands.append(command)
        return command

    def write(self, data):
        self.sock.sendall(data)

    def serve(self):
        while True:
            command = self.read()
            reply = self._forward(command)
            if self.fake.handler:
                changed = self.fake.handler(command, reply)
                reply = reply if changed is None else changed
            if self.fake.delay:
                self.fake.stopping.wait(self.fake.delay)
            if reply:
                self.write(reply)

    def _forward(self, command):
        if self.fake.upstream is None:
            return None
        if self._upstream is None:
            self._socket = _connect(self.fake.upstream)
            self._upstream = resp.Stream(self._socket)
        self._socket.sendall(resp.encode(command))
        return self._upstream.reply()

    def run(self, steps):
        try:
            for step in steps:
                step(self)
        except (EOFError, OSError, ValueError):
            pass
        finally:
            self.sock.close()
            if self._upstream:
                self._socket.close()


class FakeRedis:
    """str() is its address as `integrity_redis` takes it.

    commands: every command received; connections: how many were accepted;
    problems: what scripts expected and did not get (fails the test); handler,
    delay (seconds before each reply of `serve`) may be changed at any time.
    """

    def __init__(self, folder, *scripts, handler=None, upstream=None,
                 tcp=False, delay=0.0):
        self.path = None if tcp else Path(folder) / "fake.sock"
        self.port = None
        self.scripts = list(scripts) or [[serve()]]
        self.handler = handler
        self.upstream = upstream
        self.delay = delay
        self.commands = []
        self.problems = []
        self.connections = 0
        self.stopping = threading.Event()
        self._links = []
        self._listener = None
        self.start()

    @property
    def address(self):
        return (f"unix:{self.path}" if self.path
                else f"127.0.0.1:{self.port}")

    def __str__(self):
        return self.address

    def names(self):
        """The names of the commands received, as str."""
        return [command[0].decode() for command in self.commands if command]

    def start(self):
        """Listens, at the same address as before."""
        self.stopping.clear()
        if self.path:
            self.path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(self.path))
            self.path.chmod(0o777)
        else:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port or 0))
            self.port = listener.getsockname()[1]
        listener.listen(128)
        self._listener = listener
        self._thread = threading.Thread(target=self._accept, args=(listener,),
                                        daemon=True)
        self._thread.start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            steps = self.scripts[min(self.connections,
                                     len(self.scripts) - 1)]
            self.connections += 1
            link = _Link(self, sock)
            thread = threading.Thread(target=link.run, args=(steps,),
                                      daemon=True)
            self._links.append((link, thread))
            thread.start()

    def drop(self):
        """Closes every connection; listens on."""
        for link, thread in self._links:
            try:
                link.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            thread.join(5 * PATIENCE)
        self._links.clear()

    def stop(self):
        """Closes everything; start() listens again."""
        self.stopping.set()
        if self._listener:
            try:
                self._listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._listener.close()
            self._thread.join(5 * PATIENCE)
            self._listener = None
        self.drop()
        if self.path:
            self.path.unlink(missing_ok=True)


def _connect(upstream):
    """A socket to a RedisServer."""
    if upstream.socket is None:
        return socket.create_connection(("127.0.0.1", upstream.port), 10)
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(10)
    sock.connect(str(upstream.socket))
    return sock
