#!/usr/bin/python3
"""Measures integrityctl verify, with and without checkpoints, and seal.

bench_verify.py [--lines N] [--runs N] [--ctl PATH]

Writes a log of N lines (a million) with audit_log.py into a temporary folder,
seals it, verifies it. Prints the best of the runs: lines per second of CPU and
of wall time, and the peak of resident memory, also for a tenth of the lines.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import audit_log

CTL = Path(__file__).resolve().parents[2] / "build" / "integrityctl"


def write(path, count):
    with open(path, "w", encoding="ascii") as out:
        out.writelines(audit_log.lines(count))


def peak_of(pid):
    """The most memory the process had so far, in KiB. (What wait4 tells
    counts what this script had when it forked.)"""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    match = re.search(r"^VmHWM:\s+(\d+)", text, re.M)
    return int(match.group(1)) if match else 0


def run(command):
    """(wall seconds, CPU seconds, peak KiB) of a child."""
    begin = time.monotonic()
    # pylint: disable=consider-using-with
    child = subprocess.Popen(list(map(str, command)),
                             stdout=subprocess.DEVNULL)
    peak = pid = 0
    while not pid:
        peak = max(peak, peak_of(child.pid))
        time.sleep(0.005)
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{command[1]}: exit status {child.returncode}")
    return (time.monotonic() - begin, usage.ru_utime + usage.ru_stime, peak)


def measure(name, lines, runs, command):
    results = [run(command) for _ in range(runs)]
    wall = min(result[0] for result in results)
    cpu = min(result[1] for result in results)
    peak = max(result[2] for result in results)
    print(f"{name:28} {lines:8} lines  {lines / wall:9,.0f} lines/s  "
          f"{lines / cpu:9,.0f} per CPU second  {peak / 1024:6.1f} MiB",
          flush=True)


def bench(folder, lines, runs, ctl):
    log = folder / f"{lines}.log"
    key = folder / f"{lines}.key"
    checkpoints = folder / f"{lines}.checkpoints"
    write(log, lines)
    run([ctl, "keys", "seal", key])
    measure("verify", lines, runs, [ctl, "verify", log])
    measure("seal --once", lines, 1, [ctl, "seal", "--once", "--key", key,
                                      "--checkpoints", checkpoints, log])
    measure("verify --checkpoints", lines, runs,
            [ctl, "verify", "--checkpoints", checkpoints, "--key",
             f"{key}.pub", log])
    subprocess.run(["gzip", "-1", log], check=True)
    measure("verify --checkpoints, gzip", lines, runs,
            [ctl, "verify", "--checkpoints", checkpoints, "--key",
             f"{key}.pub", f"{log}.gz"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--ctl", type=Path, default=CTL)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ig-") as folder:
        for lines in (options.lines // 10, options.lines):
            bench(Path(folder), lines, options.runs, options.ctl)
    return 0


if __name__ == "__main__":
    sys.exit(main())
