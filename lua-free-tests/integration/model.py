"""A plain model of counters, rules and decisions, to hold the stores against.

Written from the contract, not from the code: dictionaries, whole histories,
no eviction. Slow and short.
"""

import base64
import hashlib
import hmac
import itertools
import math
from collections import defaultdict
from dataclasses import dataclass, field

MISSING = "missing"
UNKNOWN = "unknown"
STRENGTH = ["allow", "hold", "throttle", "deny"]
SUMMAND_MAX = 9e12


# What a policy consists of, and its text

@dataclass(frozen=True)
class Expr:
    """op: has(name), listed(name), compare(name, relation, number), not, and,
    or."""

    op: str
    args: tuple

    def __str__(self):
        if self.op == "has":
            return f"has({self.args[0]})"
        if self.op == "listed":
            return self.args[0]
        if self.op == "compare":
            return "{} {} {}".format(*self.args)
        if self.op == "not":
            return f"!({self.args[0]})"
        word = {"and": "&&", "or": "||"}[self.op]
        return f"({self.args[0]}) {word} ({self.args[1]})"

    def names(self):
        if self.op in ("has", "listed", "compare"):
            return {self.args[0]}
        return set().union(*(arg.names() for arg in self.args))

    def value(self, env):
        """True, False or UNKNOWN (Kleene)."""
        if self.op == "has":
            value = env[self.args[0]]
            return UNKNOWN if value == UNKNOWN else value != MISSING
        if self.op == "listed":
            value = env[self.args[0]]
            return value if value in (True, False) else UNKNOWN
        if self.op == "compare":
            name, relation, number = self.args
            value = as_number(env[name])
            if value is None:
                return UNKNOWN
            return {"<": value < number, ">": value > number,
                    ">=": value >= number}[relation]
        if self.op == "not":
            value = self.args[0].value(env)
            return UNKNOWN if value == UNKNOWN else not value
        a, b = (arg.value(env) for arg in self.args)
        stop = self.op == "or"
        if a is stop or b is stop:
            return stop
        return UNKNOWN if UNKNOWN in (a, b) else not stop


@dataclass(frozen=True)
class Counter:
    """A key with "content" is a counter with similar=content: the model is
    told which texts are alike, by the field's value."""

    name: str
    kind: str = "count"         # exact distinct sum mean first last list
    window: int = 3600          # s
    key: tuple = ("account",)
    value: str = None
    on: tuple = ("x",)
    when: str = "accepted"      # attempts completed
    cond: Expr = None
    max: int = None
    warmup: int = None          # s; None: the default

    def __str__(self):
        if self.kind == "list":
            return f"integrity_list {self.name} key={','.join(self.key)};"
        words = ["integrity_counter", self.name, "on=" + ",".join(self.on),
                 f"window={self.window}s"]
        key = [name for name in self.key if name != "content"]
        if key:
            words.append("key=" + ",".join(key))
        if key != list(self.key):
            words.append("similar=content")
        if self.kind in ("distinct", "sum", "mean"):
            words.append(f"{self.kind}={self.value}")
        elif self.kind != "count":
            words.append(self.kind)
        if self.max:
            words.append(f"max={self.max}")
        if self.when != "accepted":
            words.append(f"count={self.when}")
        if self.warmup is not None:
            words.append(f"warmup={self.warmup}s" if self.warmup
                         else "warmup=0")
        if self.cond:
            words.append(f'"if={self.cond}"')
        return " ".join(words) + ";"

    def warms_up(self):
        if self.warmup is not None:
            return self.warmup
        return self.window if self.kind in ("first", "last") else 0


@dataclass(frozen=True)
class Rule:
    name: str
    expr: Expr
    then: str = None
    score: int = None
    dry_run: bool = False
    on_error: str = None
    on: tuple = ("*",)
    add: tuple = None           # list, s
    renew: bool = False

    def __str__(self):
        words = ["integrity_rule", self.name, f'"{self.expr}"',
                 "on=" + ",".join(self.on)]
        if self.then:
            words.append(f"then={self.then}")
        if self.score is not None:
            words.append(f"score={self.score}")
        if self.dry_run:
            words.append("dry_run")
        if self.on_error:
            words.append(f"on_error={self.on_error}")
        if self.add:
            words.append("add={}:{}s".format(*self.add))
        if self.renew:
            words.append("renew")
        return " ".join(words) + ";"


@dataclass
class Policy:
    """fields: lines of integrity_field; scores: {decision: from}."""

    fields: list
    counters: list
    rules: list
    scores: dict = field(default_factory=dict)

    def __str__(self):
        lines = [*self.fields, *map(str, self.counters),
                 *map(str, self.rules)]
        if self.scores:
            lines.append("integrity_scores " + " ".join(
                f"{name}={score}" for name, score in self.scores.items())
                + ";")
        return "\n".join(lines) + "\n"


# Values

def matches(on, action):
    """on=: names, prefix.* and *, which never means a decision."""
    for item in on:
        if item == "*":
            if not action.startswith("decision."):
                return True
        elif item.endswith(".*"):
            if action.startswith(item[:-1]):
                return True
        elif item == action:
            return True
    return False


def as_number(value):
    """A number, or None; text counts where it reads as one."""
    if isinstance(value, str) and value not in (MISSING, UNKNOWN):
        try:
            return float(value)
        except ValueError:
            return None
    return value if isinstance(value, (int, float)) else None


def as_key(value):
    return str(value)


def as_micro(value):
    """Fixed point, six decimals, half away from zero; None: not countable."""
    number = as_number(value)
    if number is None or abs(number) > SUMMAND_MAX:
        return None
    scaled = abs(number * 1e6)
    whole = math.floor(scaled)
    whole += scaled - whole >= 0.5
    return whole if number >= 0 else -whole


def members(value):
    """The values of a field as a list: a set has several."""
    return list(value) if isinstance(value, tuple) else [value]


# The order in which a full log lets go: last seen, then the stored bytes

SECRET = base64.b64decode("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")


def _subkey(info):
    """HKDF-SHA256 with an empty salt, 32 bytes (RFC 5869)."""
    key = hmac.digest(bytes(32), SECRET, "sha256")
    return hmac.digest(key, info + b"\x01", "sha256")


STORE_KEY = _subkey(b"nginx-integrity/store")


def _prefixed(text):
    return len(text).to_bytes(4, "big") + text


def member_hash(text):
    message = _prefixed(b"m") + _prefixed(text.encode())
    return hmac.digest(STORE_KEY, message, "sha256")[:16]


def event_hash(event):
    return hashlib.sha256(event.ljust(26).encode()).digest()[:16]


# One key of one counter

class Buckets:
    """count, sum, mean: what fell into each bucket, for ever."""

    def __init__(self, counter):
        self.counter = counter
        self.width = counter.window * 1000
        self.n = defaultdict(int)
        self.total = defaultdict(int)

    def read(self, time):
        bucket, elapsed = divmod(time, self.width)
        weight = 1 - elapsed / self.width
        n = self.n[bucket] + self.n[bucket - 1] * weight
        total = (self.total[bucket] + self.total[bucket - 1] * weight) / 1e6
        if self.counter.kind == "count":
            return n
        if self.counter.kind == "sum":
            return total
        return total / n if n else MISSING

    def add(self, time, item):
        before = self.read(time)
        self.n[time // self.width] += 1
        self.total[time // self.width] += item
        return self.read(time) if self.counter.kind == "count" else before

    def take_back(self, time, item, _):
        bucket = time // self.width
        if self.n[bucket]:
            self.n[bucket] -= 1
            self.total[bucket] -= item

    was = None


class Log:
    """distinct, exact: the `max` members last seen."""

    def __init__(self, counter):
        self.width = counter.window * 1000
        self.max = counter.max or 1024
        self.seen = {}
        self.was = None

    def read(self, time):
        return sum(seen > time - self.width for seen in self.seen.values())

    def add(self, time, item):
        self.was = self.seen.get(item)
        self.seen[item] = max(time, self.seen.get(item, time))
        while len(self.seen) > self.max:
            del self.seen[min(self.seen, key=lambda m: (self.seen[m], m))]
        return self.read(time)

    def take_back(self, _, item, was):
        if was is None:
            self.seen.pop(item, None)
        elif item in self.seen:
            self.seen[item] = min(self.seen[item], was)


class Seen:
    """first, last."""

    def __init__(self, counter):
        self.kind = counter.kind
        self.width = counter.window * 1000
        self.first = self.last = None

    def _forgotten(self, time):
        return self.last is None or time - self.last > self.width

    def read(self, time):
        if self._forgotten(time):
            return 0 if self.kind == "first" else MISSING
        since = self.first if self.kind == "first" else self.last
        return max(time - since, 0) / 1000

    def add(self, time, _):
        if self._forgotten(time):
            self.first = self.last = time
        self.last = max(self.last, time)

    was = None


class Listed:
    """A key on a list, or not."""

    def __init__(self, _):
        self.until = None

    def read(self, time):
        return self.until is not None and self.until > time

    was = None


STATE = {"list": Listed, "count": Buckets, "sum": Buckets, "mean": Buckets, "exact": Log,
         "distinct": Log, "first": Seen, "last": Seen}


# Calls

@dataclass
class Call:
    time: int
    event: str
    action: str
    fields: dict                # name: value, tuple of several, MISSING
    late: dict                  # what the answer brings
    counters: dict
    done: list                  # (counter, key, item, was) to take back
    fired: list = field(default_factory=list)   # rules that are enforced
    listed: dict = field(default_factory=dict)  # (list, key): is on it
    decision: str = "allow"
    would: str = "allow"
    counted: str = "allow"
    score: int = 0
    would_score: int = 0


class Model:
    def __init__(self, policy, dry_run=False):
        self.policy = policy
        self.dry_run = dry_run
        self.state = {}
        self.started = None

    # reading and writing single keys

    def _keys(self, counter, fields):
        """The key tuples, or MISSING or UNKNOWN."""
        values = [fields[name] for name in counter.key]
        for none in (MISSING, UNKNOWN):
            if none in values:
                return none
        return list(itertools.product(*map(members, values)))

    def _items(self, counter, call):
        """What one event puts into the counter; [] where it does not count."""
        if counter.kind == "exact":
            return [event_hash(call.event)]
        if counter.kind == "distinct":
            value = call.fields[counter.value]
            return [] if value == MISSING else [
                member_hash(as_key(one)) for one in members(value)]
        if counter.kind in ("sum", "mean"):
            micro = as_micro(call.fields[counter.value])
            return [] if micro is None else [micro]
        return [0]

    def _at(self, counter, key):
        place = (counter.name, tuple(map(as_key, key)))
        if place not in self.state:
            self.state[place] = STATE[counter.kind](counter)
        return self.state[place]

    def _env(self, call):
        return {**call.fields, **call.counters}

    def _true(self, counter, call):
        return counter.cond is None or counter.cond.value(
            self._env(call)) is True

    def _late(self, counter):
        """Written after the decision."""
        names = {other.name for other in self.policy.counters}
        if counter.kind == "list":
            return False
        return counter.kind in ("first", "last") or (
            counter.cond is not None and bool(counter.cond.names() & names))

    # the call

    def _answer(self, counter, call):
        keys = self._keys(counter, call.fields)
        if isinstance(keys, str):
            return keys
        adds = counter.kind != "list" and matches(counter.on, call.action) \
            and counter.when != "completed" and not self._late(counter) \
            and self._true(counter, call)
        items = self._items(counter, call) if adds else []
        values = []
        for key in keys:
            state = self._at(counter, key)
            if not items:
                values.append(state.read(call.time))
                call.listed[counter.name, key] = values[-1]
            for item in items:
                values.append(state.add(call.time, item))
                call.done.append((counter, key, item, state.was))
        warmup = counter.warms_up() * 1000
        if warmup and call.time - self.started < warmup:
            return UNKNOWN
        values = [value for value in values if value != MISSING]
        return max(values) if values else MISSING

    def _vote(self, call, dry):
        said, score = set(), 0
        for rule in self.policy.rules:
            if rule.dry_run and not dry or not matches(rule.on, call.action):
                continue
            value = rule.expr.value(self._env(call))
            if value is True:
                if not dry:
                    call.fired.append(rule)
                said.add(rule.then)
                score += rule.score or 0
            elif value == UNKNOWN:
                said.add(rule.on_error)
        if "deny" in said:
            return "deny", score
        if "allow" in said:
            return "allow", score
        said |= {name for name, least in self.policy.scores.items()
                 if score >= least}
        return max(said - {None} | {"allow"}, key=STRENGTH.index), score

    def call(self, time, event, action, fields, late=None):
        if self.started is None:
            self.started = time
        late = late or {}
        call = Call(time, event, action,
                    {**fields, **dict.fromkeys(late, UNKNOWN)}, late, {}, [])
        for counter in self.policy.counters:
            call.counters[counter.name] = UNKNOWN
        answers = {counter.name: self._answer(counter, call)
                   for counter in self.policy.counters}
        call.counters = answers
        call.counted, call.score = self._vote(call, dry=False)
        call.would, call.would_score = self._vote(call, dry=True)
        call.decision = "allow" if self.dry_run else call.counted
        return call

    def _put(self, counter, call):
        keys = self._keys(counter, call.fields)
        if isinstance(keys, str) or not self._true(counter, call):
            return
        for key in keys:
            for item in self._items(counter, call):
                self._at(counter, key).add(call.time, item)

    def _list(self, rule, call, put):
        """A rule puts keys on its list; `put` are those of rules before it."""
        name, seconds = rule.add
        (counter,) = [one for one in self.policy.counters if one.name == name]
        keys = self._keys(counter, call.fields)
        if isinstance(keys, str):
            return
        for key in keys:
            place = name, tuple(map(as_key, key))
            if not rule.renew and (call.listed[name, key] or place in put):
                continue
            put.add(place)
            self._at(counter, key).until = call.time + seconds * 1000

    def end(self, call, completed):
        """After the decision, and where the application said 2xx."""
        rejected = call.counted in ("throttle", "deny")
        if rejected:
            for counter, key, item, was in call.done:
                if counter.when == "accepted":
                    self._at(counter, key).take_back(call.time, item, was)
        for counter in self.policy.counters:
            if counter.kind == "list":
                continue
            if matches(counter.on, call.action) and self._late(counter) \
                    and counter.when != "completed" \
                    and not (rejected and counter.when == "accepted"):
                self._put(counter, call)
            if call.counted != "allow" and matches(
                    counter.on, "decision." + call.counted):
                self._put(counter, call)
        put = set()
        for rule in call.fired:
            if rule.add and not self.dry_run:
                self._list(rule, call, put)
        if completed and not rejected:
            call.fields = {**call.fields, **call.late}
            for counter in self.policy.counters:
                if counter.kind != "list" \
                        and matches(counter.on, call.action) \
                        and counter.when == "completed":
                    self._put(counter, call)
