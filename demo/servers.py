"""A private Redis and a private nginx in a temporary folder, and their end."""

import base64
import ctypes
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONF = ROOT / "conf" / "demo.conf"
RULES = ROOT / "conf" / "rules"
MODULE = Path(os.environ.get(
    "IG_MODULE", ROOT / "build" / "ngx_http_integrity_module.so"))
CTL = Path(os.environ.get("IG_CTL", ROOT / "build" / "integrityctl"))

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


class Trouble(Exception):
    """Something is not as it should be; the text is a sentence for people."""


def program(name, variable):
    """An installed program; Debian keeps servers outside a user's PATH."""
    found = os.environ.get(variable) or shutil.which(
        name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if not found:
        raise Trouble(f"{name} is not installed: make deps")
    return found


def temp_paths(nginx):
    """Lines for http: a private nginx spills into a folder of its own."""
    built = subprocess.run([nginx, "-V"], capture_output=True, text=True,
                           timeout=30, check=False).stderr
    return "".join(f"    {name}_temp_path  {name};\n" for name in (
        "client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        if f"--without-http_{name}_module" not in built)


def wait_until(condition, seconds, what):
    """Polls until condition() is true, and returns what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Trouble(f"waited {seconds} seconds for {what}")
        time.sleep(0.02)


def _follow_parent():
    """In a child before exec: end when the demo does, however it ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _start(command, log):
    """A child in a session of its own: Ctrl-C is the demo's alone."""
    with open(log, "ab") as output:
        return subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
            preexec_fn=_follow_parent)


def _end(process, number):
    """Ends a child, kindly first; returns its exit status."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


class Servers:
    """Redis and nginx in `folder`; stop() is for any state."""

    def __init__(self, conf=CONF):
        self.conf = conf.read_text()
        self.folder = Path(tempfile.mkdtemp(prefix="nginx-integrity-demo."))
        self.folder.chmod(0o755)
        self.port = None
        self._redis = None
        self._nginx = None
        for name in ("logs", "modules", "redis"):
            (self.folder / name).mkdir()
        (self.folder / "modules" / MODULE.name).symlink_to(MODULE)
        (self.folder / "rules").symlink_to(RULES)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def audit(self):
        return self.folder / "logs" / "integrity-audit.log"

    @property
    def error_log(self):
        return self.folder / "logs" / "error.log"

    @property
    def socket(self):
        return self.folder / "redis" / "redis.sock"

    @property
    def control(self):
        """What integrityctl list talks to."""
        return self.folder / "integrity.sock"

    # Redis

    def start_redis(self):
        """On a unix socket that nginx's workers alone can reach."""
        (self.folder / "redis").chmod(0o700)
        if os.geteuid() == 0:
            worker = pwd.getpwnam(self._user())
            os.chown(self.folder / "redis", worker.pw_uid, -1)
        log = self.folder / "logs" / "redis.log"
        self._redis = _start(
            [program("redis-server", "IG_REDIS"), "--port", "0",
             "--unixsocket", self.socket, "--unixsocketperm", "777",
             "--save", "", "--appendonly", "no", "--dir", self.folder], log)
        wait_until(lambda: self._redis.poll() is not None or self._answers(),
                   10, "Redis")
        if self._redis.poll() is not None:
            raise Trouble("Redis did not start:\n" + _tail(log))

    def _answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    # Keys

    def make_keys(self):
        """A secret file; returns the keys an application checks with."""
        path = self.folder / "integrity.key"
        _ctl("keys", "new", path)
        return [base64.b64decode(line.partition(":")[2])
                for line in _ctl("keys", "verdict", path).split()]

    # nginx

    def configure(self, application_port):
        """The configuration with the addresses of this run in it."""
        text = self.conf
        for address, mine in (
                ("unix:/run/redis/redis.sock", f"unix:{self.socket}"),
                ("unix:/run/nginx/integrity.sock", f"unix:{self.control}"),
                ("127.0.0.1:9000", f"127.0.0.1:{application_port}"),
                ("127.0.0.1:8080", f"127.0.0.1:{self.port}")):
            text, found = re.subn(
                rf"{re.escape(address)}(?=.*# address:)", mine, text)
            if found != 1:
                raise Trouble(f"the configuration has no line with {address} "
                              "that is marked \"address:\"")
        user = f"user  {self._user()};\n" if os.geteuid() == 0 else ""
        text = re.sub(r"^user\s.*\n", user, text, flags=re.M)
        text = text.replace("http {\n", "http {\n" + temp_paths(
            program("nginx", "IG_NGINX")), 1)
        (self.folder / "nginx.conf").write_text(text)

    def start_nginx(self, application_port):
        """On a free port; waits until every worker has its Redis."""
        for _ in range(5):
            self.port = _free_port()
            self.configure(application_port)
            self._nginx = _start([*self._command(), "-g", "daemon off;"],
                                 self.folder / "logs" / "start.log")
            wait_until(lambda: self._nginx.poll() is not None
                       or self.status(), 15, "nginx")
            if self._nginx.poll() is None:
                break
            if "Address already in use" not in self._said():
                raise Trouble("nginx did not start:\n" + self._said())
        else:
            raise Trouble("no free port was found for nginx")
        workers = self._directive("worker_processes")
        wait_until(lambda: self.status()["redis"]["up"] >= int(workers), 10,
                   "nginx's connections to Redis")

    def _directive(self, name):
        """The argument of a directive on top of the configuration."""
        match = re.search(rf"^{name}\s+([\w-]+);", self.conf, re.M)
        if not match:
            raise Trouble(f"the configuration has no \"{name}\"")
        return match.group(1)

    def _user(self):
        """Whom nginx's workers run as where its master is root's."""
        wanted = self._directive("user")
        try:
            return pwd.getpwnam(wanted).pw_name
        except KeyError:
            return "nobody"

    def _command(self):
        return [program("nginx", "IG_NGINX"), "-p", f"{self.folder}/",
                "-c", self.folder / "nginx.conf", "-e", self.error_log]

    def _said(self):
        return (_tail(self.folder / "logs" / "start.log")
                or _tail(self.error_log))

    def complaints(self):
        """The last of what nginx's error log says beyond notices."""
        if not self.error_log.exists():
            return []
        lines = self.error_log.read_text(errors="replace").splitlines()
        return [line for line in lines if re.search(
            r" \[(warn|error|crit|alert|emerg)\] ", line)][-3:]

    def status(self):
        """The status page as an object, or None while there is none."""
        try:
            with urllib.request.urlopen(
                    f"{self.url}/integrity/status", timeout=2) as answer:
                return json.load(answer)
        except OSError:
            return None

    def load(self, events):
        """Fills the past in; what `integrityctl load` said."""
        path = self.folder / "history.jsonl"
        path.write_text("".join(json.dumps(event) + "\n" for event in events))
        said = _ctl("load", "-c", self.folder / "nginx.conf", "--socket",
                    f"unix:{self.control}", "--reason", "a new installation",
                    "--by", "demo", path)
        self._reload()
        return said.strip()

    def _reload(self):
        """New workers ask Redis at once since when it remembers what; the old
        ones would look within five seconds."""
        workers = int(self._directive("worker_processes"))
        before = self.status()["redis"]["connects"]
        self._nginx.send_signal(signal.SIGHUP)

        def renewed():
            redis = (self.status() or {"redis": {}})["redis"]
            return (redis.get("connects", 0) >= before + workers
                    and redis["up"] == workers)

        wait_until(renewed, 10, "nginx's new workers")

    def quit_nginx(self):
        """A graceful end: every call answered, every chain closed."""
        status = _end(self._nginx, signal.SIGQUIT)
        if status != 0:
            raise Trouble(f"nginx ended with status {status}:\n"
                          + _tail(self.error_log))

    def stop(self):
        for process in (self._nginx, self._redis):
            if process is not None:
                _end(process, signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)


def verify(path):
    """`integrityctl verify`: (exit status, what it said)."""
    done = subprocess.run([CTL, "verify", path], capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def change(control, *arguments):
    """`integrityctl list add ...`: what it said."""
    return _ctl("list", *arguments, "--socket", f"unix:{control}").strip()


def listing(path, name):
    """All entries of a list, as the audit log tells them; 1 is "none"."""
    return _ctl("list", "show", name, "--log", path, fine=(0, 1)).strip()


def _ctl(*arguments, fine=(0,)):
    done = subprocess.run([CTL, *arguments], capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode not in fine or (done.returncode and done.stderr):
        raise Trouble(f"integrityctl {arguments[0]}: "
                      + (done.stderr or done.stdout).strip())
    return done.stdout


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _tail(path, lines=8):
    try:
        return "\n".join(path.read_text(errors="replace")
                         .splitlines()[-lines:])
    except OSError:
        return ""
