#!/usr/bin/python3
"""
Owns: the course of a benchmark: rounds, measurements, what makes one invalid.
Borrows: nginx, redis-server and a C compiler of the machine; the built module.
Called by: make bench, or by hand: bench.py --quick
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import bench_config as config
import bench_process as proc
import bench_report as report
from bench_process import BenchError

TOP = pathlib.Path(__file__).resolve().parents[2]


def arguments():
    p = argparse.ArgumentParser(
        description="nginx-integrity against plain nginx, side by side")
    p.add_argument("--quick", action="store_true",
                   help="about 40 seconds; enough to see a regression")
    p.add_argument("--rounds", type=int)
    p.add_argument("--seconds", type=float, help="of each closed-loop run")
    p.add_argument("--paced-seconds", type=float,
                   help="of each run at half load")
    p.add_argument("--connections", type=int, default=64)
    p.add_argument("--rate", type=float,
                   help="requests/s of the paced runs (default: half of what "
                        "plain nginx reaches)")
    p.add_argument("--uniform", action="store_true",
                   help="equal gaps in the paced runs, not exponential ones")
    p.add_argument("--spin", action="store_true",
                   help="the generator polls in the paced runs, needs a CPU")
    p.add_argument("--patience", type=float, metavar="SECONDS",
                   help="how long in all to repeat runs which other "
                        "processes disturbed")
    p.add_argument("--variants", default=config.DEFAULT, metavar="LETTERS",
                   help="; ".join(f"{v.key}: {v.title}"
                                  for v in config.VARIANTS.values()))
    p.add_argument("--module", type=pathlib.Path,
                   default=TOP / "build/ngx_http_integrity_module.so")
    p.add_argument("--ctl", type=pathlib.Path,
                   default=TOP / "build/integrityctl")
    p.add_argument("--nginx", default="nginx")
    p.add_argument("--redis", default="redis-server")
    p.add_argument("--no-pin", action="store_true",
                   help="let the scheduler place the processes")
    p.add_argument("--tmp", help="where logs are written (default: $TMPDIR)")
    p.add_argument("--json", type=pathlib.Path, metavar="FILE")
    p.add_argument("--markdown", type=pathlib.Path, metavar="FILE")
    a = p.parse_args()

    # many short rounds: a neighbour's noise then meets all variants alike
    short, long = (2, 1.0, 1.0, 8), (8, 1.2, 1.5, 45)
    rounds, seconds, paced, patience = short if a.quick else long
    a.rounds = a.rounds or rounds
    a.seconds = a.seconds or seconds
    a.paced_seconds = a.paced_seconds or paced
    a.patience = patience if a.patience is None else a.patience
    a.warmup = 0.4 if a.quick else 0.5

    for letter in a.variants:
        if letter not in config.VARIANTS:
            p.error(f"no variant {letter!r}")

    if "a" not in a.variants:
        a.variants = "a" + a.variants

    return a


def choose(a):
    """The variants that can run, and why the others cannot."""
    os.environ["PATH"] += ":/usr/sbin:/usr/local/sbin"
    a.nginx = shutil.which(a.nginx)
    a.redis = shutil.which(a.redis)
    chosen, skipped = [], []

    if a.nginx is None:
        raise BenchError("there is no nginx here; try: make deps")

    for letter in a.variants:
        v = config.VARIANTS[letter]

        if v.module and not a.module.exists():
            skipped.append((v, f"{a.module} is not built; try: make build"))
        elif v.redis and a.redis is None:
            skipped.append((v, "there is no redis-server; try: make deps"))
        else:
            chosen.append(v)

    return chosen, skipped


class Place:
    """One variant, running: its own directory, nginx, and maybe Redis."""

    def __init__(self, bench, variant):
        self.bench = bench
        self.variant = variant
        self.redis = None
        self.nginx = None
        self.sent = 0
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=bench.directory))

    def __enter__(self):
        b, v = self.bench, self.variant

        try:
            if v.redis:
                self.redis = proc.Redis(b.a.redis, self.directory, b.others)

            port = proc.free_port()
            text = config.render(
                v, self.directory, port, b.application.getsockname()[1],
                b.a.module.resolve(),
                self.redis and self.redis.path, os.geteuid() == 0)
            self.nginx = proc.Nginx(b.a.nginx, self.directory, text, port,
                                    b.worker)
        except BaseException:
            self.__exit__()
            raise

        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def stop(self):
        if self.nginx:
            self.nginx.stop()

        if self.redis:
            self.redis.stop()

    def load(self, seconds, seed, **more):
        b = self.bench

        if self.variant.one_account:
            more["accounts"] = 1

        got = proc.load(b.load, self.nginx.port, b.others, b.application,
                        seconds=seconds, connections=b.a.connections,
                        seed=seed, **more)
        self.sent += got["requests"]

        return got

    def measure(self, seconds, seed, **more):
        """One run and what it cost; raises where it was not all as meant."""
        pids = {"worker": self.nginx.worker}

        if self.redis:
            pids["redis"] = self.redis.pid

        machine = proc.busy_seconds()
        before = {name: proc.schedule(pid) for name, pid in pids.items()}
        began = time.monotonic()
        got = self.load(seconds, seed, **more)
        elapsed = time.monotonic() - began
        after = {name: proc.schedule(pid) for name, pid in pids.items()}
        machine = proc.busy_seconds() - machine

        self.expect(got)
        self.nginx.check()
        n = got["requests"]
        ours = got["cpu_seconds"]

        for name in pids:
            ran, waited = (x - y for x, y in zip(after[name], before[name]))
            got[name + "_us"] = ran / n / 1e3
            got[name + "_busy"] = ran / 1e9 / got["seconds"]
            got[name + "_waited"] = waited / 1e9 / got["seconds"]
            ours += ran / 1e9

        got["load_us"] = got["cpu_seconds"] * 1e6 / n
        got["strangers"] = max(0.0, (machine - ours) / elapsed)

        return got

    def expect(self, got):
        want = {str(self.variant.status): got["requests"]}
        lost = {k: got[k] for k in ("broken", "timeouts", "connect_errors")
                if got[k]}

        if got["statuses"] != want or lost or not got["requests"]:
            raise BenchError(
                f"({self.variant.key}) {self.variant.title}: only "
                f"{self.variant.status} was expected, got {got['statuses']} "
                f"{lost or ''}: errors are not worth measuring")

    def check_logs(self):
        """After stop(): every call was logged, and by a working module."""
        v, notes = self.variant, {}

        if v.log == config.JSON_LOG:
            lines = count(self.directory / "access.log", b"\n")

            if lines != self.sent:
                raise BenchError(f"({v.key}) access.log has {lines} lines "
                                 f"for {self.sent} requests")

        if v.module and v.location:
            notes = self.check_audit()

        return notes

    def check_audit(self):
        v, path = self.variant, self.directory / "audit.log"
        states = count_matches(
            path, rb'"kind":"decision".{0,400}?"evaluation":"(\w+)"')
        total = sum(states.values())
        full = states.get("complete", 0)

        if v.status == 200 and total != self.sent:
            raise BenchError(f"({v.key}) audit.log has {total} decisions "
                             f"for {self.sent} requests: {states}")

        if v.status == 200 and full < 0.999 * total:
            raise BenchError(f"({v.key}) the store did not keep up, the "
                             f"figures would flatter: {states}")

        if v.status == 200:
            sample = next(s for s in path.open("rb")
                          if b'"evaluation":"complete"' in s)

            for name in (b"merchant", b"rating", b"account_1h", b"device_1h",
                         b"product_7d"):
                if b'"' + name + b'":' not in sample:
                    raise BenchError(f"({v.key}) no {name.decode()} in an "
                                     f"audit line: {sample[:600]!r}")

        if v.status == 429 and not states.get("cached"):
            raise BenchError(f"({v.key}) no rejection came from shared "
                             f"memory: {states}")

        return {"evaluations": states, "audit_bytes": path.stat().st_size}

    def verify_chain(self):
        ctl = self.bench.a.ctl

        if not ctl.exists():
            return "not verified, there is no integrityctl"

        done = subprocess.run([ctl, "verify", self.directory / "audit.log"],
                              capture_output=True, text=True)

        if done.returncode != 0:
            raise BenchError(f"({self.variant.key}) integrityctl verify: "
                             f"{done.returncode}\n{done.stdout[-1000:]}"
                             f"{done.stderr[-1000:]}")

        return "verified"


def count(path, what):
    with path.open("rb") as f:
        return sum(block.count(what)
                   for block in iter(lambda: f.read(1 << 20), b""))


def count_matches(path, pattern):
    found = {}
    pattern = re.compile(pattern)

    with path.open("rb") as f:
        for line in f:
            m = pattern.search(line)

            if m:
                name = m[1].decode()
                found[name] = found.get(name, 0) + 1

    return found


class Bench:
    def __init__(self, a, directory):
        self.a = a
        self.directory = directory
        self.worker, self.others = proc.cpu_sets(not a.no_pin)
        self.load = proc.compile_load(TOP / "build/bench")
        self.application = proc.listener()
        self.rate = a.rate
        self.patience = a.patience
        self.repeated = self.disturbed = 0

    def ceiling(self):
        """The generator against the application, without nginx between."""
        got = proc.load(self.load, self.application.getsockname()[1],
                        self.others, self.application, seconds=0.7,
                        connections=self.a.connections)
        return got["rps"]

    def preflight(self, variants):
        """Each starts and answers, before minutes are spent on the others."""
        for v in variants:
            with Place(self, v) as place:
                place.load(0.05, 1)
                place.nginx.check()

    def calibrate(self):
        """Half of what plain nginx reaches, the better of two runs."""
        if self.rate:
            return

        with Place(self, config.VARIANTS["a"]) as place:
            place.load(self.a.warmup, 1)
            best = max(self.calm(place, self.a.seconds, seed)["rps"]
                       for seed in (2, 3))

        self.rate = round(best / 2, -2)

    def calm(self, place, seconds, seed, **more):
        """A measurement, repeated while others disturb and patience lasts."""
        best = None

        while True:
            began = time.monotonic()
            got = place.measure(seconds, seed, **more)
            got["noise"] = got["strangers"]

            if self.worker:
                got["noise"] += 5 * got["worker_waited"]

            if best is None or got["noise"] < best["noise"]:
                best = got

            if best["noise"] <= report.NOISE:
                return best

            self.patience -= time.monotonic() - began

            if self.patience < 0:
                self.disturbed += 1
                return best

            self.repeated += 1
            seed += 1000

    def one(self, variant, number, last):
        """A variant's turn in a round: warm up, closed loop, half load."""
        a = self.a
        seed = 100 * number

        with Place(self, variant) as place:
            place.load(a.warmup, seed + 1)
            before = place.redis and place.redis.commands()
            sent = place.sent
            closed = self.calm(place, a.seconds, seed + 2)

            if before is not None:
                closed["redis_commands"] = per_request(
                    before, place.redis.commands(), place.sent - sent)

            more = {name: True for name in ("uniform", "spin")
                    if getattr(a, name)}
            paced = self.calm(place, a.paced_seconds, seed + 3,
                              rate=self.rate, **more)
            place.stop()
            notes = place.check_logs()

            if last and variant.module and variant.location:
                notes["chain"] = place.verify_chain()

        return {"round": number, "closed": closed, "paced": paced, **notes}

    def run(self, variants, say):
        results = {v.key: [] for v in variants}

        for number in range(1, self.a.rounds + 1):
            turn = (number - 1) % len(variants)

            for v in variants[turn:] + variants[:turn]:
                one = self.one(v, number, number == self.a.rounds)
                results[v.key].append(one)
                say(number, v, one)

        return results


def per_request(before, after, requests):
    return {name: round((calls - before.get(name, 0)) / requests, 3)
            for name, calls in sorted(after.items())
            if calls > before.get(name, 0) and name != "info"}


def say(number, variant, one):
    if sys.stderr.isatty() or os.environ.get("BENCH_VERBOSE"):
        print(f"  round {number}  {variant.key}  "
              f"{one['closed']['rps']:8.0f}/s  "
              f"{one['closed']['worker_us']:6.2f} us", file=sys.stderr)


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    a = arguments()
    signal.signal(signal.SIGTERM, interrupt)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="ig-bench-", dir=a.tmp))

    try:
        chosen, skipped = choose(a)
        began = time.monotonic()
        bench = Bench(a, directory)
        ceiling = bench.ceiling()
        bench.preflight(chosen)
        bench.calibrate()
        results = bench.run(chosen, say)
        facts = report.facts(a, bench, ceiling, time.monotonic() - began)
        summary = report.summarise(results, facts)
    except (BenchError, subprocess.CalledProcessError) as e:
        print(f"bench: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(directory, ignore_errors=True)

    print(report.table(summary, skipped, facts))

    if a.json:
        a.json.write_text(json.dumps(
            {"facts": facts, "summary": summary, "rounds": results},
            indent=1) + "\n")

    if a.markdown:
        a.markdown.write_text(report.markdown(summary, skipped, facts))

    return 0


if __name__ == "__main__":
    sys.exit(main())
