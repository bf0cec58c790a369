#!/usr/bin/python3
"""Measures how fast integrityctl reads an audit log, and what memory it takes.

bench_log.py [--lines N] [--ctl FILE] [--rounds N]

Writes a log of N lines (audit_log.py) to a temporary folder, also as two files
by turns and as gzip, and runs each command over it; the best round counts.
"""

import argparse
import gzip
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import audit_log  # noqa: E402

CTL = Path(__file__).resolve().parents[2] / "build" / "integrityctl"

# What is run, {log}, {gzip}, {one} and {two} being files.
COMMANDS = [
    ("all lines, counted", "log --count {log}"),
    ("all lines, as they are", "log --json {log}"),
    ("all lines, for people", "log {log}"),
    ("gzip, counted", "log --count {gzip}"),
    ("two files, merged", "log --json {one} {two}"),
    ("one decision", "log --count --decision throttle {log}"),
    ("one rule", "log --count --rule device_farm {log}"),
    ("one value of a field", "log --count --field merchant=m-42 {log}"),
    ("the last second", "log --count --since {late} {log}"),
    ("export to OCSF", "export --format ocsf {log}"),
    ("verify", "verify {log}"),
]


def write_files(folder, count):
    """The names for COMMANDS; the log itself is kept once."""
    names = {name: folder / f"{name}.log" for name in ("log", "one", "two")}
    names["gzip"] = folder / "log.gz"
    late = "1970-01-01T00:00:00Z"
    with open(names["log"], "w", encoding="ascii") as whole, \
            open(names["one"], "w", encoding="ascii") as one, \
            open(names["two"], "w", encoding="ascii") as two, \
            gzip.open(names["gzip"], "wt", compresslevel=1) as packed:
        for line in audit_log.lines(count):
            whole.write(line)
            packed.write(line)
            (one if '"chain":"edge-1/0/' in line else two).write(line)
            late = max(late, line.partition('"time":"')[2][:24])
    names["late"] = late[:19] + "Z"
    return names


def peak(pid):
    """Most memory so far, in MiB; what wait4() says has this script's in it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)
    return int(found.group(1)) / 1024 if found else 0.0


def run(command):
    """(seconds, seconds of CPU, peak memory in MiB) of one run."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    memory = 0.0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        memory = max(memory, peak(process.pid))
        time.sleep(0.002)
    seconds = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command}: exit status {process.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime, memory


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ctl", default=CTL)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ig-bench.") as folder:
        names = write_files(Path(folder), options.lines)
        size = names["log"].stat().st_size
        print(f"{options.lines} lines, {size / 1e6:.0f} MB")
        for title, command in COMMANDS:
            words = [str(options.ctl),
                     *(word.format(**names) for word in command.split())]
            best = min(run(words) for _ in range(options.rounds))
            print(f"{title:28} {best[0]:7.2f} s {best[1]:7.2f} s CPU "
                  f"{options.lines / best[0]:12,.0f} lines/s "
                  f"{best[2]:6.1f} MiB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
