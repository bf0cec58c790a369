"""docs/audit-log.md: its commands are run, and what they answer is checked."""

import csv
import json
import os
import re
import shutil
import subprocess
from collections import Counter

import pytest

from harness import story
from harness.settings import CTL, PATIENCE, ROOT

GUIDE = ROOT / "docs" / "audit-log.md"


def blocks():
    """{heading: its ```sh blocks}."""
    parts = re.split(r"^## (.+)$", GUIDE.read_text(), flags=re.M)
    found = {}
    for heading, text in zip(parts[1::2], parts[2::2]):
        commands = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
        if commands:
            found[heading] = commands
    return found


class Desk:
    """A folder as the guide supposes it, on the log of the story."""

    def __init__(self, folder, server):
        self.server = server
        self.lines = server.audit_lines()
        self.decisions = [line for line in self.lines
                          if line["kind"] == "decision"]
        self.place = folder / "desk"
        self.place.mkdir()
        for path in (server.audit_path, server.dir / "policy.conf",
                     ROOT / "conf" / "sqlite" / "integrity.sql"):
            shutil.copy(path, self.place / path.name)
        shutil.copy(server.secret_path, self.place / "integrity.key")
        tools = folder / "bin"
        tools.mkdir()
        (tools / "integrityctl").symlink_to(CTL)
        formats = folder / ".config" / "lnav" / "formats"
        formats.mkdir(parents=True)
        (formats / "integrity").symlink_to(ROOT / "conf" / "lnav")
        self.environment = {
            **os.environ, "HOME": str(folder), "TERM": "dumb", "TMPDIR":
            str(folder), "PATH": f"{tools}:{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(folder / ".config"), "LC_ALL": "C.UTF-8"}
        self._rotated()

    def _rotated(self):
        """What was rotated: sealed, then compressed, as logrotate does."""
        path = self.place / "audit.log-20261123-000000"
        shutil.copy(self.server.dir / "audit.log.1", path)
        self.run("integrityctl keys seal seal.key; integrityctl seal --once"
                 " --key seal.key --checkpoints checkpoints audit.log")
        self.run(f"gzip {path.name}")

    def run(self, command):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=self.place,
            env=self.environment, capture_output=True, text=True,
            timeout=60 * PATIENCE, check=False, stdin=subprocess.DEVNULL)
        # backtest says there how fast it was
        said = re.sub(r"^\d+ events in .*\n", "", done.stderr, flags=re.M)
        assert (done.returncode, said) == (0, ""), command + done.stderr
        assert "✘" not in done.stdout
        return done.stdout

    def answers(self, heading):
        """What the blocks under a heading print, each a list of lines."""
        return [self.run(command).splitlines()
                for command in blocks()[heading]]

    def sqlite(self):
        """Reads the log into audit.db, as the guide does further up."""
        self.run('zcat -f audit.log* | sqlite3 audit.db ".read integrity.sql"')

    def calls(self):
        """{(action, decision): calls}, by the lines themselves."""
        found, of_event = Counter(), {}
        for line in self.decisions:
            of_event[line["event"]] = line["action"], line["decision"]
            found[of_event[line["event"]]] += 1
        for line in self.lines:
            if line["kind"] == "repeat":
                found[of_event[line["event"]]] += line["count"]
        return found

    def rules(self):
        """{name: [fired, tried]}."""
        found = {}
        for line in self.decisions:
            for rule in line["rule"]:
                count = found.setdefault(rule["name"], [0, 0])
                count[rule.get("dry_run", False)] += 1
        return found


@pytest.fixture
def desk(nginx, folder):
    return Desk(folder, story.tell(nginx))


CHECKED = {}


def checks(heading):
    """Marks the test of a heading's commands."""
    CHECKED[heading] = True
    return lambda function: function


@checks("Is it whole?")
def test_is_it_whole(desk):
    for (*_, last) in desk.answers("Is it whole?"):
        assert last.endswith("clean"), last


@checks("Who praised m-42 last night?")
def test_who_praised(desk):
    log, accounts, devices = desk.answers("Who praised m-42 last night?")
    praise = [line for line in desk.decisions
              if line["action"] == "review.create"
              and line["field"].get("merchant") == "m-42"
              and line["field"]["rating"] == 5]
    assert len([line for line in log if "review.create" in line]) \
        == len(praise) == len(story.PRAISED) + 1    # the banned one, again
    counts = Counter(line["field"]["account"] for line in praise)
    assert len(counts) == len(story.PRAISED)
    assert {account: int(count) for count, account
            in map(str.split, accounts)} == counts
    rows = [row.split("|") for row in devices]
    assert rows[0] == ["device", "accounts", "decisions"]
    assert [row[1] for row in rows[1:]] == ["4", "1", "1", "1"]
    assert set(rows[1][2].split(",")) == {"allow", "hold", "deny"}


@checks("What did we do to this account, and why?")
def test_what_did_we_do(desk):
    desk.sqlite()
    log, record, why, stories, lists, rows = desk.answers(
        "What did we do to this account, and why?")
    assert any("deny" in line for line in log)
    assert story.REASON in re.sub(r"\s+", " ", " ".join(record))
    assert "<svg" in (desk.place / "ring-4.html").read_text()
    held, denied = [line.split("\t") for line in why]
    assert held[3:6] == ["hold", "60", "device_farm"]
    assert denied[3:6] == ["deny", "60", "banned device_farm"]
    assert json.loads(held[6]) == {"account_1h": 1, "device_accounts": 4}
    full, public = "\n".join(stories).split("What happened\n")[1:]
    assert "The rule device_farm adds 60 to the score." in full
    assert "It was deni" in full and "It was deni" in public
    assert "device_farm" not in public
    add, remove, looked = [line.split("\t")[1:] for line in lists]
    assert looked == ["inspect", "", "ada", story.REASON]
    assert add == ["add", "banned", "ada", story.REASON]
    assert remove == ["remove", "banned", "ada", story.REASON]
    assert [row.split("|")[1] for row in rows[1:]] == [
        "review.create", "add banned", "review.create", "remove banned",
        'inspect["account_1h"]']


@checks("Who was on a list, and who put them there?")
def test_who_was_on_a_list(desk):
    (entries,) = desk.answers("Who was on a list, and who put them there?")
    text = "\n".join(entries)
    assert story.REASON in text and "ada" in text


@checks("A rule fired: what has to be taken back?")
def test_what_has_to_be_taken_back(desk):
    (said,) = desk.answers("A rule fired: what has to be taken back?")
    accepted = [line["request"] for line in desk.decisions
                if line["field"].get("rating") == 1
                and line["decision"] == "allow"]
    assert len(accepted) == 10
    assert sorted(said[-10:]) == sorted(accepted)
    assert all(request in "\n".join(said[:-10]) for request in accepted)


@checks("What would rule X at 5 have done?")
def test_what_would_it_have_done(desk):
    text, compared, tried = desk.answers("What would rule X at 5 have done?")
    assert any("too_fast" in line for line in text)
    assert compared == ["5"]        # the 6th to the 10th review
    assert [line.split() for line in tried] \
        == [[str(story.TRIED_AT_8), "too_fast_8"]]


@checks("How much of what?")
def test_how_much(desk):
    desk.sqlite()
    report, by_jq, by_sqlite, rules = desk.answers("How much of what?")
    counted = desk.calls()
    assert all(name in "\n".join(report) for name in desk.rules())
    assert counted["order.create", "throttle"] == 4     # in three lines
    assert {tuple(line.split("\t")[:2]): int(line.split("\t")[2])
            for line in by_jq} == counted
    assert {tuple(line.split("|")[:2]): int(line.split("|")[2])
            for line in by_sqlite} == counted
    assert {name: [int(fired), int(tried)] for name, fired, tried in
            (row.split("|") for row in rules[1:])} == desk.rules()


@checks("What should worry me?")
def test_what_should_worry(desk):
    (found,) = desk.answers("What should worry me?")
    (line,) = map(json.loads, found)
    assert (line["kind"], line["count"]) == ("unclassified", 1)


@checks("Which rules were in force?")
def test_which_rules_were_in_force(desk):
    (said,) = desk.answers("Which rules were in force?")
    assert said[-1].startswith(desk.decisions[-1]["policy"])
    text = (desk.place / "in-force.txt").read_text()
    assert "too_fast" in text and "reviews_per_hour" in text


@checks("How do others get it?")
def test_how_others_get_it(desk):
    desk.answers("How do others get it?")
    with open(desk.place / "held.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kept = [line for line in desk.decisions if line["decision"] != "allow"]
    assert sorted(row["event"] for row in rows) \
        == sorted(line["event"] for line in kept)
    assert {row["field.merchant"] for row in rows} >= {"m-42", "m-10"}
    events = [json.loads(line) for line in
              (desk.place / "ocsf.jsonl").read_text().splitlines()]
    assert len(events) == len(desk.decisions)
    assert {event["class_uid"] for event in events} == {6003}


@checks("lnav")
def test_lnav(desk):
    (block,) = blocks()["lnav"]
    summary, rules, changes, held, losses = [
        desk.run(command).splitlines() for command in block.splitlines()]
    assert {tuple(row.split()[:2]): int(row.split()[2])
            for row in summary[1:]} == desk.calls()
    assert {row.split()[0]: list(map(int, row.split()[1:]))
            for row in rules[1:]} == desk.rules()
    assert [row.split()[2:4] for row in changes[1:]] == [
        ["list", "add"], ["list", "remove"], ["key", "inspect"],
        ["load", "begin"], ["load", "end"]]
    assert len(held) == 1 + len([line for line in desk.decisions
                                 if line["decision"] != "allow"])
    assert losses == []


def test_every_command_is_run():
    assert set(blocks()) == set(CHECKED)


def test_no_key_needs_quotes_in_sqlite(desk):
    """And what was read again is not there twice."""
    desk.sqlite()
    desk.sqlite()
    text = (desk.place / "integrity.sql").read_text()
    names = re.findall(r"j ->> '\w+' AS (\w+)", text)
    (row,) = desk.run(f"sqlite3 audit.db 'SELECT {', '.join(names)} FROM audit"
                      """ WHERE op = "add"'""").splitlines()
    assert story.REASON in row.split("|")
    assert desk.run("sqlite3 audit.db 'SELECT count(*) FROM audit'").strip() \
        == str(len(desk.lines))
