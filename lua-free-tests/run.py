#!/usr/bin/python3
"""Runs every test and prints one line of totals last.

run.py [PART ...]     all parts, or those whose names begin so (run.py --list)

Exits non-zero where something failed, or where nothing ran.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CORES = os.cpu_count() or 2
WORKERS = CORES + 1     # the integration tests wait more than they compute

SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect,possible"]
SANITIZED = {
    "IG_SANITIZED": "1",
    "IG_NGINX": str(ROOT / "build-asan" / "nginx"),
    "IG_MODULE": str(ROOT / "build-asan" / "ngx_http_integrity_module.so"),
    "IG_CTL": str(ROOT / "build-asan" / "integrityctl"),
}


@dataclass
class Count:
    """What a part found; `said` is shown where something failed or skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    said: str = ""

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.said += other.said


def run(command, timeout, **environment):
    """(exit status, output); a timeout is status -1."""
    env = {key: value for key, value in os.environ.items()
           if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
    try:
        done = subprocess.run(
            [str(word) for word in command], cwd=ROOT, env={**env, **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b"").decode(errors="replace")
        return -1, said + f"\n{command[0]}: no end after {timeout} s\n"
    return done.returncode, done.stdout.decode(errors="replace")


def clip(said, head=4000, tail=8000):
    """Enough of a long output to see what is wrong."""
    if len(said) <= head + tail:
        return said
    return f"{said[:head]}\n[...]\n{said[-tail:]}"


# Building, each build counted as one test

def make(*words):
    status, said = run(["make", f"-j{CORES}", *words], 900)
    if status == 0:
        return Count(passed=1)
    return Count(failed=1, said=clip(said))


def build():
    return make("build", "unit-programs")


def build_clang():
    """The other compiler, with warnings as errors, in a directory apart."""
    return make("build", "unit-programs", "CC=clang", "OUT=build-clang")


def build_sanitized():
    (ROOT / "build-asan").mkdir(exist_ok=True)
    status, said = run(["flock", "--close", "build-asan/lock",
                        "tools/fetch-nginx-source", "build-asan/source"], 300)
    if status == 77:
        return Count(skipped=1, said=said)
    if status != 0:
        return Count(failed=1, said=said)
    return make("build", "SANITIZE=1")


def build_sanitized_units():
    return make("unit-programs", "SANITIZE=1")


# Unit tests in C

def tap(said):
    """Counts the tests of cmocka's TAP output, also of one that broke off."""
    planned = sum(int(number) for number
                  in re.findall(r"^1\.\.(\d+)", said, re.M))
    passed = len(re.findall(r"^ok \d+ - ", said, re.M))
    skipped = len(re.findall(r"^(?:not )?ok \d+ # SKIP", said, re.M))
    return Count(passed, max(planned - passed - skipped, 0), skipped)


def unit_program(program, wrapper=(), **environment):
    status, said = run([*wrapper, program], 300, CMOCKA_MESSAGE_OUTPUT="TAP",
                       **environment)
    count = tap(said)
    dirty = re.search(r"runtime error|Sanitizer", said)
    if (status != 0 or dirty) and not count.failed:
        count.failed += 1
    if not count.passed and not count.failed:
        count.failed = 1
    if count.failed or count.skipped:
        count.said = f"{program} (status {status})\n{clip(said)}\n"
    return count


def unit_programs(folder, wrapper=(), **environment):
    total = Count()
    programs = sorted(
        ROOT / folder / "unit" / source.stem
        for source in (HERE / "unit").glob("test_*.c"))
    if not programs:
        return Count(failed=1, said="no unit test in lua-free-tests/unit\n")
    environment["LOCPATH"] = str(ROOT / folder / "locale")
    with ThreadPoolExecutor(CORES) as pool:
        for count in pool.map(lambda program: unit_program(
                program, wrapper, **environment), programs):
            total.add(count)
    return total


def unit():
    return unit_programs("build")


def unit_sanitized():
    return unit_programs("build-asan", **SANITIZERS)


def unit_valgrind():
    return unit_programs("build", VALGRIND)


# Everything in Python

def pytest(paths, *words, empty=False, **environment):
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        status, said = run(
            ["/usr/bin/python3", "-m", "pytest", "-q", "-c",
             HERE / "pytest.ini", "--rootdir", HERE, "--durations=8",
             f"--junitxml={report.name}", *words,
             *(HERE / path for path in paths)], 1500, **environment)
        count = junit(Path(report.name).read_bytes())
    if status == 5 and empty:
        return Count()
    if status != 0 and not count.failed:
        count.failed = 1
    if count.failed or count.skipped:
        count.said = clip(said, 8000, 30000)
    return count


def junit(text):
    count = Count()
    if text:
        for suite in ElementTree.fromstring(text).iter("testsuite"):
            failed = int(suite.get("failures")) + int(suite.get("errors"))
            skipped = int(suite.get("skipped"))
            count.add(Count(int(suite.get("tests")) - failed - skipped,
                            failed, skipped))
    return count


def check_script(script):
    """A script of checks, which ends with its own line of totals."""
    status, said = run(["/usr/bin/python3", script], 120)
    match = re.search(r"(\d+) passed, (\d+) failed$", said.strip())
    if not match:
        return Count(failed=1, said=said)
    failed = max(int(match.group(2)), int(status != 0))
    return Count(int(match.group(1)), failed, 0, said if failed else "")


def structure():
    total = Count()
    for script in sorted((HERE / "structure").glob("check*.py")):
        total.add(check_script(script))
    return total


def tools():
    """The tests of the tests: structure checks, totals, bench."""
    return pytest(["test_run.py", "structure", "bench"], f"-n{CORES}")


def integration():
    return pytest(["integration"], f"-n{WORKERS}", "-m", "not alone")


def integration_sanitized():
    if not Path(SANITIZED["IG_MODULE"]).exists():
        return Count(skipped=1, said="no sanitized nginx, see build-sanitized\n")
    return pytest(["integration"], f"-n{WORKERS}", "-m", "not alone",
                  **SANITIZED)


def alone():
    return pytest(["integration"], "-m", "alone", empty=True)


# The order: lanes of a stage run side by side, the parts of a lane in turn; a
# lane ends where a build fails.

STAGES = [
    [[build, structure, unit, unit_valgrind],
     [build_sanitized_units, unit_sanitized, build_sanitized, build_clang]],
    [[tools]],
    [[integration, integration_sanitized, alone]],
]


def name_of(part):
    return part.__name__.replace("_", "-")


class Report:
    """Prints each part as it ends, and keeps the totals."""

    def __init__(self):
        self.total = Count()
        self._lock = threading.Lock()

    def take(self, part, count, seconds):
        with self._lock:
            if count.failed or count.skipped:
                print(count.said.rstrip(), flush=True)
            word = "FAILED" if count.failed else "ok"
            print(f"{word:6} {name_of(part):22} {count.passed:5} passed "
                  f"{count.failed:3} failed {count.skipped:3} skipped "
                  f"{seconds:6.1f} s", flush=True)
            count.said = ""
            self.total.add(count)

    def line(self):
        return (f"total: {self.total.passed} passed, {self.total.failed} "
                f"failed, {self.total.skipped} skipped")


def run_lane(lane, report):
    for part in lane:
        begin = time.monotonic()
        try:
            count = part()
        except Exception as error:  # a broken part is a failed one
            count = Count(failed=1, said=f"{type(error).__name__}: {error}")
        report.take(part, count, time.monotonic() - begin)
        if count.failed and name_of(part).startswith("build"):
            return False
    return True


def chosen(names):
    """The stages with the parts asked for, all where none is."""
    def wanted(part):
        return not names or name_of(part).startswith(tuple(names))

    return [[kept for lane in stage
             if (kept := [part for part in lane if wanted(part)])]
            for stage in STAGES]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("part", nargs="*")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        print("\n".join(name_of(part) for stage in STAGES for lane in stage
                        for part in lane))
        return 0

    report = Report()
    for stage in chosen(options.part):
        with ThreadPoolExecutor(max(len(stage), 1)) as pool:
            built = list(pool.map(lambda lane: run_lane(lane, report), stage))
        if not all(built):
            print("what could not be built is not tested")
            break

    print(report.line())
    ran = report.total.passed + report.total.failed
    return 0 if ran and not report.total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
