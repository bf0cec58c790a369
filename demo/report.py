"""What the audit log says of the day: a table, three lines, a judgement."""

import json
import os
import sys
from collections import Counter

from market import GROUPS, HONEST

DECISIONS = ["allow", "hold", "throttle", "deny"]

# The day is a success where nearly every honest call was allowed, none denied,
# and at least two in three forged reviews did not get published.
HONEST_ALLOWED = 0.98
FORGED_KEPT_BACK = 2 / 3

_COLOURS = {"allow": "32", "hold": "33", "throttle": "35", "deny": "31",
            "bold": "1", "dim": "2"}


def paint(text, colour):
    """Colours for a terminal, nothing for a pipe."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{_COLOURS[colour]}m{text}\033[0m"


def decisions(path):
    """{event id: its decision line} of an audit file."""
    lines = (json.loads(line) for line in path.read_text().splitlines())
    return {line["event"]: line for line in lines
            if line["kind"] == "decision"}


class Tally:
    """Every call of the day beside the line the audit log has of it."""

    def __init__(self, calls, lines):
        self.unrecorded = [call for call in calls if call.event not in lines]
        self.count = {group: Counter() for group in GROUPS}
        self.reviews = {group: Counter() for group in GROUPS}
        self.evaluation = Counter()
        for call in calls:
            line = lines.get(call.event)
            if line is None:
                continue
            self.evaluation[line["evaluation"]] += 1
            self.count[call.group][line["decision"]] += 1
            if call.what == "review":
                self.reviews[call.group][line["decision"]] += 1

    def kept_back(self, group):
        """Reviews that were not simply published, and all there were."""
        reviews = self.reviews[group]
        return reviews.total() - reviews["allow"], reviews.total()

    def problems(self):
        """Why the day was no success, in sentences; empty where it was."""
        found = []
        if self.unrecorded:
            found.append(f"{len(self.unrecorded)} calls have no line in the "
                         f"audit log, the first: {self.unrecorded[0]}")
        honest = self.count[HONEST]
        if honest["allow"] < HONEST_ALLOWED * honest.total() or honest["deny"]:
            found.append(f"of {honest.total()} honest calls "
                         f"{honest['allow']} were allowed")
        for group in GROUPS[1:]:
            back, every = self.kept_back(group)
            if every == 0 or back < FORGED_KEPT_BACK * every:
                found.append(f"{group}: of {every} forged reviews {back} "
                             "were kept back")
        return found

    def table(self):
        head = (f"{'':34}{'calls':>7}" + "".join(
            f"{name:>10}" for name in DECISIONS) + "   reviews kept back")
        rows = [paint(head, "bold")]
        for group in GROUPS:
            count = self.count[group]
            back, every = self.kept_back(group)
            cells = "".join(
                paint(f"{count[name]:>10}", name if count[name] else "dim")
                for name in DECISIONS)
            rows.append(f"{group:34}{count.total():>7}{cells}"
                        f"{back:>11} of {every}")
        return "\n".join(rows)


# Lines for people

def pretty(line):
    """An audit line with a key per line, as it would be read aloud."""
    rows = []
    for key, value in line.items():
        shown = json.dumps(value, ensure_ascii=False)
        if isinstance(value, dict) and len(shown) > 60:
            inner = (f"{json.dumps(name)}: {json.dumps(item)}"
                     for name, item in value.items())
            shown = "{" + (",\n" + " " * 17).join(inner) + "}"
        elif isinstance(value, list) and len(shown) > 60:
            shown = ("[" + (",\n" + " " * 17).join(
                json.dumps(item) for item in value) + "]")
        rows.append(f"  {json.dumps(key) + ':':14}{shown}")
    return "{\n" + ",\n".join(rows) + "\n}"


def three(lines):
    """One held, one throttled, one allowed review, each with what it says."""
    chosen = []
    for decision, telling, wanted in (
            ("hold", _held, lambda line: any(
                rule["name"] == "device_farm" for rule in line["rule"])),
            ("throttle", _throttled, lambda line: True),
            ("allow", _allowed, lambda line: not line["rule"])):
        line = next((line for line in lines.values()
                     if line["action"] == "review.create"
                     and line["decision"] == decision and wanted(line)), None)
        if line is not None:
            chosen.append((decision, telling(line), line))
    return chosen


def _number(value):
    return f"{value:.0f}" if isinstance(value, (int, float)) else "?"


_REASONS = {
    "device_farm": lambda line: "{} accounts used its device in a day".format(
        _number(line["counter"].get("device_accounts"))),
    "no_delivery": lambda line: "no parcel with the product reached the "
                                "account",
    "no_device": lambda line: "the call names no device",
    "praise_burst": lambda line: "{} reviews with five stars within an hour"
    .format(_number(line["counter"].get("praise_1h"))),
    "closed_circle": lambda line: "{} reviews of the merchant by {} people"
    .format(_number(line["counter"].get("merchant_reviews")),
            _number(line["counter"].get("merchant_authors"))),
    "self_review": lambda line: "the merchant logs in from the same network",
}


def _held(line):
    reasons = "; ".join(
        _REASONS[rule["name"]](line)
        + (f" (+{rule['score']})" if "score" in rule else "")
        for rule in line["rule"] if rule["name"] in _REASONS)
    return (f"Passed on, for a moderator: {reasons}. "
            "Account and device are pseudonyms, the text a fingerprint.")


def _throttled(line):
    rule = next(rule for rule in line["rule"]
                if rule.get("decision") == "throttle")
    limit = rule["threshold"]["reviews_per_hour"]
    return (f"Answered with 429: it would have been the account's review "
            f"number {_number(line['counter']['account_1h'])} within an hour, "
            f"and {_number(limit)} are allowed here.")


def _allowed(line):
    return ("Passed, and published: no rule fired. The product was delivered "
            f"to the account {line['counter']['delivered'] * 1000:.0f} ms "
            "before; days are short here.")
