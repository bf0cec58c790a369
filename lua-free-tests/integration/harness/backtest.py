"""integrityctl backtest over configurations and events of a test's own."""

import json
import os
import re
import subprocess

from . import settings


class Result:
    """What it said; stderr without the last line, which says how fast."""

    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout
        lines = done.stderr.splitlines()
        self.speed = None
        if lines and re.fullmatch(
                r"\d+ events in [\d.]+ s(: \d+ a second)?; \d+ MiB of memory "
                r"at most", lines[-1]):
            self.speed = lines.pop()
        self.errors = lines


def backtest(*arguments, stdin=None, timeout=60, cwd=None):
    done = subprocess.run(
        [settings.CTL, "backtest", *map(str, arguments)], input=stdin,
        capture_output=True, timeout=timeout * settings.PATIENCE, check=False,
        cwd=cwd, env={**os.environ, **settings.SANITIZER_ENVIRONMENT})
    done.stdout = done.stdout.decode()
    done.stderr = done.stderr.decode()
    assert "Sanitizer" not in done.stderr, done.stderr
    assert "runtime error" not in done.stderr, done.stderr
    return Result(done)


def lines_of(events):
    return "".join(json.dumps(event, ensure_ascii=False) + "\n"
                   for event in events)


class Bench:
    """bench("policy", [event, …], "--option", …) is the parsed JSON report."""

    def __init__(self, folder):
        self.folder = folder
        self.said = None

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def text(self, policy, events, *options):
        """The same without --json, as a Result."""
        conf = self.write("policy.conf", policy)
        if not isinstance(events, str):
            events = lines_of(events)
        path = self.write("events.jsonl", events)
        self.said = backtest("-c", conf, *options, path)
        return self.said

    def __call__(self, policy, events, *options):
        said = self.text(policy, events, "--json", *options)
        assert said.code == 0, said.errors
        return json.loads(said.out)

    def decisions(self, policy, events, *options):
        """[(decision, score, [rule, …]), …], one for each event."""
        path = self.folder / "decisions.jsonl"
        self(policy, events, "--decisions", path, *options)
        return [(one["decision"], one["score"], one["rule"]) for one
                in map(json.loads, path.read_text().splitlines())]


def rules(report, of="events"):
    """{name: rule} of the first policy."""
    return {rule["name"]: rule for rule in report["conf"][of]["rule"]}
