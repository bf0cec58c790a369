"""A real redis-server, on a unix socket or a free TCP port."""

import os
import signal
import subprocess
from pathlib import Path

import redis

from . import processes
from .ports import free_port
from .settings import REDIS, wait_until


class RedisServer:
    """str() is its address as `integrity_redis` takes it."""

    def __init__(self, folder, tcp=False, password=None, user=None,
                 config=()):
        self.dir = Path(folder)
        self.password = password
        self.user = user
        self.port = free_port() if tcp else 0
        self.socket = None if tcp else self.dir / "redis.sock"
        self._config = list(config)
        self._process = None
        self._frozen = False
        self._client = None

    @property
    def address(self):
        return (f"127.0.0.1:{self.port}" if self.socket is None
                else f"unix:{self.socket}")

    def __str__(self):
        return self.address

    @property
    def pid(self):
        return self._process.pid

    def _command(self):
        command = [str(REDIS), "--port", str(self.port), "--bind", "127.0.0.1",
                   "--dir", str(self.dir), "--save", "", "--appendonly", "no",
                   "--logfile", str(self.dir / "redis.log")]
        if self.socket:
            command += ["--unixsocket", str(self.socket),
                        "--unixsocketperm", "777"]
        if self.user:
            command += ["--user", self.user, "on", f">{self.password}", "~*",
                        "&*", "+@all"]
        elif self.password:
            command += ["--requirepass", self.password]
        return command + self._config

    def start(self):
        self._process = subprocess.Popen(
            self._command(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        wait_until(self._answers, what="redis-server to answer")
        return self

    def _answers(self):
        if self._process.poll() is not None:
            raise AssertionError("redis-server ended: "
                                 + (self.dir / "redis.log").read_text()[-500:])
        try:
            return self.client().ping()
        except redis.exceptions.ConnectionError:
            return False

    def client(self, **arguments):
        """A redis.Redis connected to it; the default one is kept."""
        if self._client is None or arguments:
            where = ({"port": self.port} if self.socket is None
                     else {"unix_socket_path": str(self.socket)})
            made = redis.Redis(password=self.password, username=self.user,
                               **{**where, **arguments})
            if arguments:
                return made
            self._client = made
        return self._client

    def commands(self):
        """{command: calls} so far, the test's own included."""
        stats = self.client().info("commandstats")
        return {name.removeprefix("cmdstat_"): entry["calls"]
                for name, entry in stats.items()}

    def freeze(self):
        """SIGSTOP: it accepts, but answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)
        self._frozen = True

    def thaw(self):
        if self._frozen:
            os.kill(self.pid, signal.SIGCONT)
            self._frozen = False

    def stop(self):
        """Ends it at once; connections are closed, data is gone."""
        if self._process is None or self._process.poll() is not None:
            return
        os.kill(self.pid, signal.SIGKILL)
        self._frozen = False
        self._process.wait()
        if self._client:
            self._client.close()
        if self.socket and self.socket.exists():
            self.socket.unlink()

    def restart(self):
        """Ends it and starts it empty at the same address."""
        self.stop()
        return self.start()

    def replace(self, password=None):
        """Another server at the same address, empty, with this password."""
        self.stop()
        self.password = password
        self._client = None
        return self.start()

    def alive(self):
        return self._process is not None and processes.alive(self.pid)
