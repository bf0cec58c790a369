"""What must hold after every test that ran nginx.

Each oracle is a function over what was seen and returns the problems it found
as a list of sentences, empty where all is well; test_oracles.py sees every one
of them fail.
"""

import json
import re
import subprocess
from functools import lru_cache

import jsonschema

from .settings import CTL, SCHEMA

_SEVERE = re.compile(r"\[(alert|emerg)\]")
_CRASH = re.compile(r"exited on signal|worker process \d+ exited with "
                    r"(?:fatal )?code [1-9]")
_SANITIZER = re.compile(r"runtime error|AddressSanitizer|LeakSanitizer|"
                        r"UndefinedBehaviorSanitizer|SUMMARY: \w*Sanitizer")

# Beyond so many lines of one file, only so many of each shape are validated.
_FULLY_VALIDATED = 3000
_PER_SHAPE = 50


def _allowed(line, expected):
    return any(re.search(pattern, line) for pattern in expected)


def error_log_problems(text, expected=()):
    """Alerts, emergencies, crashes; `expected`: patterns that are all right."""
    return [f"error log: {line}" for line in text.splitlines()
            if (_SEVERE.search(line) or _CRASH.search(line))
            and not _allowed(line, expected)]


def sanitizer_problems(text):
    """Reports of AddressSanitizer, LeakSanitizer, UBSan: never all right."""
    return [f"sanitizer: {line}" for line in text.splitlines()
            if _SANITIZER.search(line)]


def quit_problems(seconds, status, limit=5.0):
    """A graceful quit ends in time and with status 0."""
    problems = []
    if seconds > limit:
        problems.append(f"quit: took {seconds:.1f} s, more than {limit:.1f} s")
    if status != 0:
        problems.append(f"quit: the master exited with {status}")
    return problems


def leftover_problems(pids, title=lambda pid: ""):
    """No process outlives its test."""
    return [f"left running: {pid} {title(pid)}".rstrip() for pid in pids]


@lru_cache(maxsize=None)
def _validators(folder):
    found = {}
    for path in sorted(folder.glob("*.json")):
        schema = json.loads(path.read_text())
        kind = jsonschema.validators.validator_for(schema)
        kind.check_schema(schema)
        found[path.stem] = kind(schema)
    return found


def _validator_for(line, validators):
    """The schema named as the line's kind, or the only one there is."""
    if line.get("kind") in validators:
        return validators[line["kind"]]
    if len(validators) == 1:
        return next(iter(validators.values()))
    return validators.get("event")


def _shape(value):
    if isinstance(value, dict):
        return tuple((key, _shape(value[key])) for key in sorted(value))
    if isinstance(value, list):
        return tuple(sorted({repr(_shape(item)) for item in value}))
    return type(value).__name__


def _line_problem(raw, number, validators, shapes):
    try:
        line = json.loads(raw)
    except ValueError as error:
        return f"audit line {number}: not JSON: {error}: {raw[:120]!r}"
    if not isinstance(line, dict):
        return f"audit line {number}: not an object: {raw[:120]!r}"
    validator = _validator_for(line, validators)
    if validator is None:
        return f"audit line {number}: no schema for kind {line.get('kind')!r}"
    shape = (line.get("kind"), _shape(line))
    shapes[shape] = shapes.get(shape, 0) + 1
    if number > _FULLY_VALIDATED and shapes[shape] > _PER_SHAPE:
        return None
    error = jsonschema.exceptions.best_match(validator.iter_errors(line))
    if error is None:
        return None
    where = "/".join(str(part) for part in error.absolute_path)
    return f"audit line {number}: /{where}: {error.message}: {raw[:200]!r}"


def schema_problems(data, folder=SCHEMA):
    """Every line of an audit file is an object that its schema accepts."""
    validators = _validators(folder)
    if data and not validators:
        return [f"audit: no schema in {folder}"]
    shapes = {}
    problems = []
    for number, raw in enumerate(data.split(b"\n"), 1):
        if not raw:
            continue
        problem = _line_problem(raw, number, validators, shapes)
        if problem:
            problems.append(problem)
    return problems


def verify_problems(paths, accepted=(0,), ctl=CTL):
    """`integrityctl verify` says what the test declared, clean by default."""
    if not paths:
        return []
    if not ctl.exists():
        return [f"no {ctl}: make build"]
    done = subprocess.run([ctl, "verify", *paths], capture_output=True,
                          text=True, timeout=120, check=False)
    problems = sanitizer_problems(done.stderr)
    if done.returncode not in accepted:
        said = (done.stdout + done.stderr).strip()[-800:]
        problems.append(f"integrityctl verify exited with {done.returncode}, "
                        f"not {sorted(accepted)}: {said}")
    return problems
