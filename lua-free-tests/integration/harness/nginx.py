"""nginx under test: started on a configuration, signalled, asked, ended."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx

from . import oracles, processes, settings, template
from .answer import read_answer
from .settings import PATIENCE, wait_until


class Nginx:
    """One nginx, master and workers, in a folder of its own.

    The fixture `nginx` makes it; `declare` says what the oracles shall accept.
    """

    def __init__(self, folder, conf=None, values=None, **parts):
        self.dir = Path(folder)
        self.dir.chmod(0o755)
        self.error_path = self.dir / "error.log"
        self.access_path = self.dir / "access.log"
        self.audit_path = self.dir / "audit.log"
        self.secret_path = self.dir / "secret.key"
        self.ports = {}
        self.module = parts.get("module", True)
        self.expected_log = []
        self.accepted_verify = (0,)
        self.audit_checked = True
        self.quit_limit = 5.0
        self.quit_seconds = None
        self.status = None
        self.values = dict(values or {})
        self.values.update(DIR=self.dir, AUDIT=self.audit_path,
                           SECRET=self.secret_path, ERROR=self.error_path,
                           ACCESS=self.access_path)
        self._parts = parts
        self._conf = conf
        self._session = None
        self._client = None
        self.master = None      # pid
        template.write_secret(self.secret_path)
        self.configure()

    # Configuration

    @property
    def conf_path(self):
        return self.dir / "nginx.conf"

    def configure(self, conf=None, **parts):
        """Writes nginx.conf anew, with these parts replaced."""
        self._parts.update(parts)
        self._conf = conf or self._conf
        text = self._conf or template.compose(**self._parts)
        self.conf_path.write_text(
            template.fill(text, self.values, self.ports))

    def test(self):
        """`nginx -t`: (exit status, what it said)."""
        done = subprocess.run([*self._command(), "-t"], capture_output=True,
                              text=True, timeout=60, check=False,
                              env=self._environment())
        return done.returncode, done.stderr + done.stdout

    def _command(self):
        return [str(settings.NGINX), "-p", str(self.dir), "-e",
                str(self.error_path), "-c", str(self.conf_path)]

    @staticmethod
    def _environment():
        environment = {**os.environ, "LC_ALL": "C"}
        if settings.SANITIZED:
            environment.update(settings.SANITIZER_ENVIRONMENT)
        return environment

    # Life

    def start(self):
        """Starts nginx and returns self once every worker accepts.

        As a daemon: in the foreground nginx ignores USR2. The master leads a
        session of its own, by which its processes are found.
        """
        with open(self.dir / "stderr.log", "ab") as stderr:
            status = subprocess.call(
                self._command(), stdin=subprocess.DEVNULL, stdout=stderr,
                stderr=stderr, env=self._environment(),
                timeout=30 * PATIENCE)
        if status != 0:
            raise AssertionError(f"nginx did not start, exit status {status}:"
                                 f"\n{self.error_log[-2000:]}")
        self.master = wait_until(lambda: self._master_pid(None),
                                 what="the pid file")
        self._session = self.master
        wait_until(self._accepts, what="nginx to accept")
        return self

    def _wanted_workers(self):
        found = re.search(r"^\s*worker_processes\s+(\d+);",
                          self.conf_path.read_text(), re.MULTILINE)
        return int(found.group(1)) if found else 1

    def _accepts(self):
        # the first one may accept before the next is there
        if len(self.worker_pids()) < self._wanted_workers():
            return False
        if "PORT" not in self.ports:
            return True
        try:
            self.connect().close()
        except OSError:
            return False
        return True

    def _master_pid(self, other_than):
        try:
            pid = int((self.dir / "nginx.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if pid != other_than and processes.alive(pid) else None

    def worker_pids(self):
        """The workers that take new connections."""
        return [pid for pid in processes.children(self.master)
                if processes.title(pid) == "nginx: worker process"]

    def descriptors(self):
        """What the workers have open, once all clients of before are gone:
        sorted kinds (socket, pipe, a path)."""
        def opened():
            return sorted(
                target.split(":")[0] for pid in self.worker_pids()
                for target in processes.descriptors(pid).values())

        def still():
            before = opened()
            time.sleep(0.1)
            return before if opened() == before else None

        return wait_until(still, what="connections to be closed")

    def old_worker_pids(self):
        """The workers that are shutting down."""
        return [pid for pid in processes.of_session(self._session)
                if "shutting down" in processes.title(pid)]

    def pids(self):
        """Every process of this nginx, masters of both ages included."""
        return processes.of_session(self._session) if self._session else []

    def signal(self, number):
        os.kill(self.master, number)

    def reload(self, wait_old=True, timeout=10.0):
        """HUP, until the new workers run and, by default, the old are gone."""
        old = set(self.worker_pids())
        self.signal(signal.SIGHUP)
        wait_until(lambda: set(self.worker_pids()) - old
                   and not set(self.worker_pids()) & old, timeout,
                   "new workers after a reload")
        if wait_old:
            wait_until(lambda: not [pid for pid in old
                                    if processes.alive(pid)], timeout,
                       "the old workers to end")

    def refuse_reload(self, pattern, timeout=10.0):
        """HUP with a configuration that must be refused with `pattern`."""
        self.declare(log=[r"\[emerg\]"])
        before = set(self.worker_pids())
        self.signal(signal.SIGHUP)
        self.wait_log(pattern, timeout)
        assert set(self.worker_pids()) == before

    def reopen(self, *moved, timeout=10.0):
        """USR1; returns once no process has the `moved` files open."""
        moved = {str(path) for path in moved}
        self.signal(signal.SIGUSR1)
        wait_until(lambda: not any(
            moved & set(processes.descriptors(pid).values())
            for pid in self.pids()), timeout, "the log files to be reopened")

    def upgrade(self, timeout=20.0, retire=True):
        """USR2: a new master takes over; QUIT retires the old one."""
        old = self.master
        self.signal(signal.SIGUSR2)
        self.master = wait_until(lambda: self._master_pid(old), timeout,
                                 "the new master")
        wait_until(self.worker_pids, timeout, "workers of the new master")
        if retire:
            os.kill(old, signal.SIGQUIT)
            wait_until(lambda: not processes.alive(old), timeout,
                       "the old master to end")
        return old

    def quit(self, timeout=30.0, number=None):
        """A graceful quit, or another end (number=signal.SIGTERM); returns
        how many seconds it took."""
        if self.master is None or self.quit_seconds is not None:
            return self.quit_seconds
        if self._client:
            self._client.close()
        begin = time.monotonic()
        self.signal(number or signal.SIGQUIT)
        try:
            wait_until(lambda: not self.pids(), timeout, "nginx to quit")
        finally:
            self.quit_seconds = time.monotonic() - begin
        return self.quit_seconds

    def kill(self):
        """The end of whatever is left; only processes of this nginx."""
        def killed():
            # a master may have replaced a worker before it died itself
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not self.pids()

        wait_until(killed, what="killed processes to end")
        if self._session:
            ended = processes.reap(self._session)
            self.status = ended.get(self.master, self.status)

    # What it wrote

    @property
    def error_log(self):
        return self._read("error.log") + self._read("stderr.log")

    def _read(self, name):
        try:
            return (self.dir / name).read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def wait_log(self, pattern, timeout=10.0):
        """Waits for a line in the error log; returns the match."""
        return wait_until(lambda: re.search(pattern, self.error_log), timeout,
                          f"{pattern!r} in the error log")

    def access(self, count=0, timeout=5.0):
        """The access log as dicts (keys: template.py), once it has `count`
        lines: nginx writes them after the answer."""
        def enough():
            lines = self._read("access.log").split("\n")[:-1]
            return len(lines) >= count and [lines]

        (lines,) = wait_until(enough, timeout, f"{count} access log lines")
        return [json.loads(line) for line in lines]

    def audit_paths(self):
        """The audit files, rotated ones (audit.log.*) first."""
        rotated = sorted(self.dir.glob(self.audit_path.name + ".*"),
                         key=lambda path: path.stat().st_mtime_ns)
        current = [self.audit_path] if self.audit_path.exists() else []
        return rotated + current

    def audit_lines(self, kind=None):
        """The audit lines written so far, oldest first, as dicts."""
        lines = [json.loads(raw) for path in self.audit_paths()
                 for raw in path.read_bytes().split(b"\n")[:-1] if raw]
        return [line for line in lines if kind in (None, line.get("kind"))]

    def wait_audit(self, count=1, kind="decision", timeout=5.0):
        """Waits for `count` lines of a kind and returns all there are."""
        def enough():
            lines = self.audit_lines(kind)
            return lines if len(lines) >= count else None

        return wait_until(enough, timeout, f"{count} audit lines of {kind}")

    # Asking

    @property
    def port(self):
        return self.ports["PORT"]

    def url(self, path="/", port=None):
        return f"http://127.0.0.1:{port or self.port}{path}"

    def request(self, method, path, port=None, **arguments):
        """One request on a connection of its own, by httpx."""
        if self._client is None:
            self._client = httpx.Client(
                verify=False, trust_env=False, timeout=20 * PATIENCE,
                limits=httpx.Limits(max_keepalive_connections=0))
        return self._client.request(method, self.url(path, port), **arguments)

    def get(self, path, **arguments):
        return self.request("GET", path, **arguments)

    def post(self, path, **arguments):
        return self.request("POST", path, **arguments)

    def connect(self, port=None, timeout=20.0):
        return socket.create_connection(("127.0.0.1", port or self.port),
                                        timeout * PATIENCE)

    def raw(self, data, method="POST", port=None):
        """Sends bytes as they are; returns the first Answer."""
        with self.connect(port) as sock:
            sock.sendall(data)
            return read_answer(sock, method)

    # Oracles

    def declare(self, log=(), verify=None, audit_checked=None,
                quit_limit=None):
        """What this test expects and the oracles shall accept.

        log: patterns of error log lines; verify: exit codes of integrityctl
        verify; audit_checked=False: the test damages the audit log itself.
        """
        self.expected_log += log
        if verify is not None:
            self.accepted_verify = tuple(verify)
        if audit_checked is not None:
            self.audit_checked = audit_checked
        if quit_limit is not None:
            self.quit_limit = quit_limit

    def finish(self):
        """Quits and returns every problem the oracles see."""
        problems = []
        try:
            self.quit()
        except AssertionError as error:
            problems.append(f"quit: {error}")
        problems += oracles.leftover_problems(self.pids(), processes.title)
        self.kill()
        if self.master is not None:
            problems += oracles.quit_problems(
                self.quit_seconds or 0, self.status,
                self.quit_limit * PATIENCE)
        log = self.error_log
        problems += oracles.error_log_problems(log, self.expected_log)
        problems += oracles.sanitizer_problems(log)
        return problems + self._audit_problems()

    def _audit_problems(self):
        paths = self.audit_paths()
        if not self.audit_checked or not paths:
            return []
        problems = oracles.verify_problems(paths, self.accepted_verify)
        for path in paths:
            problems += oracles.schema_problems(path.read_bytes())
        return problems
