"""What the audit log says of the day: a table, three lines, a judgement."""

import json
import os
import sys
import textwrap
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
        self.caught = {group: Counter() for group in GROUPS}
        self.passed = {group: Counter() for group in GROUPS}
        self.listed = {group: Counter() for group in GROUPS}
        self.allowed = None         # an honest review that no rule minded
        for call in calls:
            line = lines.get(call.event)
            if line is None:
                continue
            self.evaluation[line["evaluation"]] += 1
            self.count[call.group][line["decision"]] += 1
            if call.what == "review":
                self.reviews[call.group][line["decision"]] += 1
            self._count_rules(call, line)

    def _count_rules(self, call, line):
        fired = (self.passed if line["decision"] == "allow"
                 else self.caught)[call.group]
        for rule in line["rule"]:
            if "decision" in rule or rule.get("score", 0) > 0:
                fired[rule["name"]] += 1
            if "add" in rule:
                self.listed[call.group][rule["name"]] += 1
        if call.group == HONEST and call.what == "review" \
                and not line["rule"] and line["decision"] == "allow":
            self.allowed = self.allowed or line

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


    def rules(self):
        """Which rules fired, by group: what they did, what they could not."""
        rows = []
        for group in GROUPS:
            rows.append(paint(group, "bold"))
            rows += _named("held or refused by", self.caught[group] or None)
            rows += _named("fired, but let pass", self.passed[group])
            rows += _named("put on lists by", self.listed[group])
        return "\n".join(rows)


def _named(what, fired):
    """Rows of rules and how often; none where none fired, None is nobody."""
    if fired is None:
        names = "none"
    else:
        names = ", ".join(
            f"{name}\u00a0{count}" for name, count
            in sorted(fired.items(), key=lambda one: (-one[1], one)))
    return [row.replace("\u00a0", " ") for row in textwrap.wrap(
        names, 79, initial_indent=f"  {what:21}", subsequent_indent=" " * 23)]


# Lines for people

def pretty(line):
    """An audit line with a key per line, as it would be read aloud."""
    rows = []
    for key, value in line.items():
        shown = json.dumps(value, ensure_ascii=False)
        if isinstance(value, dict) and len(shown) > 60:
            inner = (f"{json.dumps(name)}: {json.dumps(item)}"
                     for name, item in value.items())
            shown = "{" + _filled(inner) + "}"
        elif isinstance(value, list) and len(shown) > 60:
            shown = "[" + _filled(map(json.dumps, value)) + "]"
        rows.append(f"  {json.dumps(key) + ':':14}{shown}")
    return "{\n" + ",\n".join(rows) + "\n}"


def _filled(items):
    """As many on a line as there is room for."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) > 62:
            lines.append("")
        lines[-1] += item + ", "
    return ("\n" + " " * 17).join(line.rstrip() for line in lines)[:-1]


def three(tally, lines):
    """A held, a throttled, an allowed review, each with what it says."""
    chosen = [
        ("hold", _held, _first(lines, "hold", "device_farm")),
        ("throttle", _throttled, _first(lines, "throttle", "review_spree")),
        ("allow", _allowed, tally.allowed)]
    return [(decision, telling(line), line)
            for decision, telling, line in chosen if line is not None]


def _first(lines, decision, rule):
    return next((line for line in lines.values()
                 if line["action"] == "review.create"
                 and line["decision"] == decision
                 and any(one["name"] == rule for one in line["rule"])), None)


def _number(value):
    return f"{value:.0f}" if isinstance(value, (int, float)) else "?"


_REASONS = {
    "device_farm": lambda line: "{} accounts reviewed on its device in a week"
    .format(_number(line["counter"].get("device_reviewers"))),
    "farm_device": lambda line: "the device is on the list of farms",
    "copy_paste": lambda line: "{} accounts wrote nearly the same text".format(
        _number(line["counter"].get("copies"))),
    "no_purchase": lambda line: "it never ordered the product",
}


def _held(line):
    points = sum(rule.get("score", 0) for rule in line["rule"]
                 if rule["name"] not in _REASONS)
    reasons = [_REASONS[rule["name"]](line)
               + (f" (+{rule['score']})" if "score" in rule else "")
               for rule in line["rule"] if rule["name"] in _REASONS]
    return (f"Passed on, for a moderator: {'; '.join(reasons)}; and it is a "
            f"new account, and full of praise (+{points}). Account and device "
            "are pseudonyms, the text a fingerprint.")


def _throttled(line):
    rule = next(rule for rule in line["rule"]
                if rule.get("decision") == "throttle")
    limit = rule["threshold"]["reviews_per_hour"]
    return (f"Answered with 429: it would have been the account's review "
            f"number {_number(line['counter']['reviewer_1h'])} within an hour,"
            f" and {_number(limit)} are allowed.")


def _allowed(line):
    counter = line["counter"]
    return ("Passed, and published: no rule fired. The account has been "
            f"reviewing for {_number(counter['reviewer_age'] / 86400)} days, "
            f"and it ordered the product {counter['purchase'] * 1000:.0f} ms "
            "before; days are short here.")
