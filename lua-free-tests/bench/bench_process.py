"""
Owns: the processes of a measurement: the generator, Redis, nginx.
Borrows: a temporary directory.
Called by: bench.py.
"""

import base64
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
NOISE = re.compile(rb"\[(alert|emerg|crit|error)\]")


class BenchError(Exception):
    """What makes a figure worthless; the text is for the person who ran it."""


def compile_load(directory):
    """The generator, newer than its sources; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    newest = max(p.stat().st_mtime for p in HERE.glob("ig_load*.[ch]"))
    target = directory / "ig_load"

    if not target.exists() or target.stat().st_mtime < newest:
        fresh = directory / f"ig_load.{os.getpid()}"
        subprocess.run(
            [os.environ.get("CC", "cc"), "-std=c11", "-O2", "-g", "-Wall",
             "-Wextra", "-Werror", "-o", fresh,
             *sorted(HERE.glob("ig_load*.c")), "-lm"], check=True)
        fresh.rename(target)

    return target


def cpu_sets(pin):
    """(CPUs for the worker, CPUs for everything else), or (None, None)."""
    cpus = sorted(os.sched_getaffinity(0))

    if not pin or len(cpus) < 2:
        return None, None

    return {cpus[0]}, set(cpus[1:])


def spawn(argv, cpus, **more):
    def settle():
        if cpus:
            os.sched_setaffinity(0, cpus)

    return subprocess.Popen(list(map(str, argv)), preexec_fn=settle,
                            stdin=subprocess.DEVNULL, **more)


def wait_for(what, condition, process, seconds=5.0):
    until = time.monotonic() + seconds

    while True:
        result = condition()

        if result:
            return result

        if process.poll() is not None:
            raise BenchError(f"{what} ended with status {process.returncode}")

        if time.monotonic() > until:
            raise BenchError(f"{what} was not ready within {seconds:g} s")

        time.sleep(0.01)


def stop(process, kind=signal.SIGTERM):
    if process is None or process.poll() is not None:
        return

    process.send_signal(kind)

    try:
        process.wait(8)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def schedule(pid):
    """(on a CPU, ready but waiting for one): nanoseconds of all threads."""
    ran = waited = 0

    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        numbers = path.read_text().split()
        ran += int(numbers[0])
        waited += int(numbers[1])

    return ran, waited


def busy_seconds():
    """CPU seconds used on the machine (by whomever) since it started."""
    tick = os.sysconf("SC_CLK_TCK")
    line = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system, _, _, irq, soft, steal = map(int, line[1:9])

    return (user + nice + system + irq + soft + steal) / tick


def child_of(pid):
    """The only child of a process, or None."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue

        if int(fields[1]) == pid:
            return int(path.parent.name)

    return None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(address, family=socket.AF_INET):
    with socket.socket(family) as s:
        s.settimeout(1)
        return s.connect_ex(address) == 0


class Redis:
    def __init__(self, program, directory, cpus):
        self.path = directory / "redis.sock"
        self.process = spawn(
            [program, "--port", "0", "--unixsocket", self.path, "--save", "",
             "--appendonly", "no", "--dir", directory, "--daemonize", "no"],
            cpus, stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        wait_for("redis-server", self._ready, self.process)

    def _ready(self):
        return answers(str(self.path), socket.AF_UNIX)

    def commands(self):
        """How often each command was called."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(str(self.path))
            s.sendall(b"INFO commandstats\r\n")
            text = b""

            while not text.endswith(b"\r\n") or text.count(b"\r\n") < 3:
                text += s.recv(65536)

        return {m[1].decode(): int(m[2]) for m in
                re.finditer(rb"cmdstat_([^:]+):calls=(\d+)", text)}

    def stop(self):
        stop(self.process)


class Nginx:
    def __init__(self, program, directory, text, port, cpus):
        self.directory = directory
        self.port = port
        key = directory / "integrity.key"
        key.touch(mode=0o600)
        key.write_text("k1:" + base64.b64encode(os.urandom(32)).decode()
                       + "\n")
        conf = directory / "nginx.conf"
        conf.write_text(text)
        self.process = spawn(
            [program, "-p", directory, "-c", conf, "-e",
             directory / "error.log"], cpus, stderr=subprocess.PIPE)

        try:
            wait_for("nginx", lambda: answers(("127.0.0.1", port)),
                     self.process)
            self.worker = wait_for(
                "nginx worker", lambda: child_of(self.process.pid),
                self.process)
        except BenchError as e:
            self.stop()
            said = self.process.stderr.read().decode(errors="replace")
            raise BenchError(f"{e}\n{said}{self._log()[-2000:]}") from None

    def _log(self):
        return (self.directory / "error.log").read_text(errors="replace")

    def check(self):
        """The worker is the one that was started, and had no trouble."""
        if child_of(self.process.pid) != self.worker:
            raise BenchError("the worker process died under load:\n"
                             + self._log()[-2000:])

        text = (self.directory / "error.log").read_bytes()
        bad = [line for line in text.split(b"\n") if NOISE.search(line)]

        if bad:
            raise BenchError("error.log: " + bad[0].decode(errors="replace")
                             + f" ({len(bad)} such lines)")

    def stop(self):
        stop(self.process, signal.SIGQUIT)


def listener():
    """A socket that waits for whoever plays the application."""
    s = socket.create_server(("127.0.0.1", 0), backlog=1024)
    s.setblocking(False)
    return s


def load(program, port, cpus, application=None, **options):
    """One run of the generator; returns its report."""
    argv = [program, "--port", port]
    keep = ()

    if application is not None:
        keep = (application.fileno(),)
        argv += ["--application", application.fileno()]

    for name, value in options.items():
        argv += ["--" + name] if value is True else ["--" + name, value]

    process = spawn(argv, cpus, stdout=subprocess.PIPE, pass_fds=keep)

    try:
        out, _ = process.communicate(timeout=options["seconds"] + 30)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()

    if process.returncode != 0:
        raise BenchError(f"ig_load ended with status {process.returncode}")

    return json.loads(out)
