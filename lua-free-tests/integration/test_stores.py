"""Both stores give the answers of a plain model, event by event.

Generated policies and events run through ig_store_probe over the embedded
table, over a real Redis, and over Redis with the notes that spare commands;
model.py says what must come out. IG_EXAMPLES=N tries more of them, IG_RANDOM=1
others each time.
"""

import json
import math
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from harness.settings import ROOT, SANITIZED, SANITIZER_ENVIRONMENT
from model import (MISSING, STRENGTH, UNKNOWN, Counter, Expr, Model, Policy,
                   Rule, as_key)

PROBE = Path(os.environ.get("IG_PROBE") or ROOT / (
    "build-asan" if SANITIZED else "build") / "ig_store_probe")

START = 1_700_000_000_000
EXAMPLES = int(os.environ.get("IG_EXAMPLES", 60))

FIELDS = [
    "integrity_field account $account private;",
    "integrity_field device $device;",
    "integrity_field amount $amount;",
    "integrity_field rating json:/rating;",
    "integrity_field sku json:/items/*/sku;",
    "integrity_field size json:/items/*/size;",
    "integrity_field ticket $ticket on=y;",
    "integrity_field ticket $upstream_http_x_ticket on=x;",
    "integrity_field content $content text;",
]

# Texts, and which of them are alike: those of one kind share every shingle,
# others none. Too few tokens: no text to compare.
CONTENTS = {
    "": MISSING,
    "很好，不错！": MISSING,
    "加微信 abc123，免费获取天气 key": "ad",
    "加微信ＡＢＣ１２３!!!免费\u200b获取天气Key": "ad",
    "Great watch, and a fast delivery": "praise",
    "GREAT WATCH and a... fast delivery": "praise",
    "배송이 빠르고 좋아요 \xff": "korean",
}

STORES = ["embedded", "redis", "redis with notes"]

generated = settings(
    max_examples=EXAMPLES, deadline=None, database=None, print_blob=False,
    derandomize="IG_RANDOM" not in os.environ,
    suppress_health_check=list(HealthCheck))


# The three stores

class Store:
    def __init__(self, name, folder, redis):
        self.name = name
        self.options = []
        self.folder = folder
        self.server = redis() if name != "embedded" else None
        if self.server:
            self.options = ["--redis", str(self.server)]
        if name == "redis with notes":
            self.options.append("--notes")

    def run(self, policy, events, *options):
        """The probe's answers; the last one counts commands."""
        if self.server:
            self.server.client().flushall()
        path = self.folder / "policy"
        path.write_text(str(policy))
        done = subprocess.run(
            [str(PROBE), *self.options, *options, str(path)],
            input="".join(json.dumps(event) + "\n" for event in events),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=60, check=False,
            env={**os.environ, **SANITIZER_ENVIRONMENT})
        assert done.returncode == 0 and not done.stderr, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(params=STORES)
def store(request, folder, redis):
    return Store(request.param, folder, redis)


# The model beside it

def as_set(values):
    """What the members of an array make of a field."""
    unique = {as_key(value): value for value in reversed(values)}
    ordered = sorted(unique.values(), key=values.index)
    return MISSING if not ordered else (
        ordered[0] if len(ordered) == 1 else tuple(ordered))


def fields_of(event):
    items = event.get("items", [])
    fields = {name: event.get(name) or MISSING
              for name in ("account", "device", "amount", "rating")}
    fields["sku"] = as_set([item["sku"] for item in items if "sku" in item])
    fields["size"] = as_set([item["size"] for item in items
                             if "size" in item])
    fields["content"] = CONTENTS[event.get("content", "")]
    late = {}
    fields["ticket"] = MISSING
    if event["action"] == "y":
        fields["ticket"] = event.get("ticket") or MISSING
    elif event["action"] == "x":
        late["ticket"] = event.get("upstream_http_x_ticket") or MISSING
    return fields, late


def completed(event, call):
    return 200 <= event.get("status", 0) < 300 \
        and STRENGTH.index(call.decision) <= STRENGTH.index("hold")


def expected(policy, events, dry_run=False):
    """The model's calls, one for each event that is one."""
    model, kept, calls = Model(policy, dry_run), {}, []
    for event in events:
        if "end" in event:
            began, call = kept.pop(event["end"])
            model.end(call, completed(began, call))
            continue
        call = model.call(event["at"], event["event"], event["action"],
                          *fields_of(event))
        calls.append(call)
        if "keep" in event:
            kept[event["keep"]] = event, call
        else:
            model.end(call, completed(event, call))
    return calls


def difference(call, answer):
    """What the probe's answer has other than the model's call; or None."""
    for name in ("decision", "would", "score", "would_score"):
        if getattr(call, name) != answer[name]:
            return f"{name}: {answer[name]}, not {getattr(call, name)}"
    for name, got in answer["counter"].items():
        want = call.counters[name]
        if got is None or got is False:
            got = UNKNOWN if got is None else MISSING
        same = (got == want if isinstance(want, str) or isinstance(got, str)
                else math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-9))
        if not same:
            return f"{name}: {got}, not {want}"
    return None


def check(store, policy, events, dry_run=False):
    answers = store.run(policy, events, *["--dry-run"] * dry_run)
    commands = answers.pop()["commands"]
    calls = expected(policy, events, dry_run)
    assert len(answers) == len(calls)
    for number, (call, answer) in enumerate(zip(calls, answers)):
        assert difference(call, answer) is None, \
            f"{store.name}, call {number}: {difference(call, answer)}"
    if store.server:
        check_redis(store.server.client(), policy)
    return commands


def check_redis(client, policy):
    """Every key has a TTL that its counter explains; no count is negative."""
    longest = max(2 * counter.window + 60 for counter in policy.counters)
    longest = max([longest, *(rule.add[1] for rule in policy.rules
                              if rule.add)])
    keys = list(client.scan_iter("*", count=1000))
    pipe = client.pipeline()
    for key in keys:
        pipe.ttl(key)
        pipe.type(key)
    replies = pipe.execute()
    for key, ttl, kind in zip(keys, replies[::2], replies[1::2]):
        if b":since." in key:
            assert ttl != 0
            continue
        assert 0 < ttl <= longest, (key, ttl)
        if kind == b"string":
            assert int(client.get(key)) >= 0, key
        elif kind == b"hash" and client.hexists(key, "n"):
            assert int(client.hget(key, "n")) >= 0, key


# Policies

def compare(names):
    return st.builds(
        lambda name, relation, number: Expr("compare",
                                            (name, relation, number)),
        st.sampled_from(names), st.sampled_from(["<", ">", ">="]),
        st.sampled_from([0, 0.5, 1, 2, 3, 5, 30]))


def expressions(names, lists=()):
    if lists:
        return expressions(names) | st.builds(
            lambda op, name, other: op and Expr(op, (name, other)) or name,
            st.sampled_from([None, "and", "or"]),
            st.sampled_from(lists).map(lambda one: Expr("listed", (one,)))
            | st.sampled_from(lists).map(lambda one: Expr("not", (
                Expr("listed", (one,)),))),
            expressions(names))
    has = st.sampled_from(names).map(lambda name: Expr("has", (name,)))
    return st.recursive(
        compare(names) | has,
        lambda inner: inner.map(lambda a: Expr("not", (a,)))
        | st.tuples(st.sampled_from(["and", "or"]), inner, inner).map(
            lambda three: Expr(three[0], three[1:])),
        max_leaves=3)


@st.composite
def lists(draw, name):
    return Counter(name, "list", key=draw(st.sampled_from([
        ("account",), ("account",), ("device",), ("sku",),
        ("account", "sku")])), when="attempts", window=1, warmup=0)


@st.composite
def counters(draw, name, earlier, kinds, some=()):
    kind = draw(st.sampled_from(kinds))
    late = kind in ("count", "distinct") and draw(st.integers(0, 7)) == 0
    counter = Counter(
        name, kind,
        window=draw(st.sampled_from([10, 60, 3600, 86400])),
        key=draw(st.sampled_from([
            ("account",), ("device",), ("sku",), ("account", "sku"),
            ("account", "size", "sku"), ("content",), ("account", "content"),
            ("content", "sku")])),
        on=draw(st.sampled_from([
            ("x",), ("x",), ("x", "y"), ("*",), ("decision.deny",),
            ("decision.hold", "decision.throttle"), ("x", "decision.deny")])),
        when=draw(st.sampled_from(["accepted", "accepted", "attempts",
                                   "completed"])),
        value={"distinct": draw(st.sampled_from(
                   ["device", "sku", "rating", "account"])),
               "sum": draw(st.sampled_from(["amount", "rating"])),
               "mean": draw(st.sampled_from(["amount", "rating"]))}.get(kind),
        max=draw(st.sampled_from([None, 1, 2, 3]))
        if kind in ("exact", "distinct") else None,
        warmup=draw(st.sampled_from([None, 0, 0, 30])))
    if any(item.startswith("decision.") for item in counter.on) \
            and counter.when == "completed":
        counter = replace(counter, when="accepted")
    if "content" in counter.key:
        if kind in ("sum", "mean", "first", "last"):
            counter = replace(counter, key=("account",))
        elif counter.value == "sku":
            # of a set and a set again there would be too many keys
            counter = replace(counter, value="device")
    if late:
        where = {"value": "ticket"} if kind == "distinct" \
            else {"key": ("ticket",)}
        return replace(counter, on=("x",), when="completed", **where)
    names = ["amount", "rating", "device", *earlier]
    cond = draw(st.none() | expressions(names, some))
    return replace(counter, cond=cond)


@st.composite
def policies(draw, kinds=("count", "exact", "distinct", "sum", "mean",
                          "first", "last"), most_lists=2):
    made, earlier = [], []
    listed = [draw(lists(f"l{number}"))
              for number in range(draw(st.integers(0, most_lists)))]
    some = [one.name for one in listed]
    for number in range(draw(st.integers(1, 4))):
        made.append(draw(counters(f"c{number}", list(earlier), kinds, some)))
        if "ticket" not in (*made[-1].key, made[-1].value):
            earlier.append(made[-1].name)
    rules = [Rule(f"see_{counter.name}",
                  Expr("compare", (counter.name, ">", 1000000)), "hold",
                  on=("*",) if counter.name in earlier else ("y",))
             for counter in made]
    names = ["amount", "rating", *earlier, *earlier]
    for number in range(draw(st.integers(0, 3))):
        then = draw(st.sampled_from([None, "allow", "hold", "throttle",
                                     "throttle", "deny"]))
        score = draw(st.none() | st.sampled_from([-5, 10, 20, 40]))
        add = draw(st.none() | st.tuples(
            st.sampled_from(some), st.sampled_from([1, 10, 3600, 172800]))) \
            if some else None
        if then is None and score is None and add is None:
            score = 15
        rules.append(Rule(
            f"r{number}", draw(expressions(names, some)), then, score,
            add=add, renew=add is not None and draw(st.booleans()),
            dry_run=draw(st.integers(0, 4)) == 0,
            on_error=draw(st.sampled_from([None, None, "hold", "throttle",
                                           "allow"]))))
    scores = draw(st.sampled_from([
        {}, {"hold": 10}, {"hold": 10, "throttle": 30, "deny": 45},
        {"throttle": 20}]))
    if any(rule.score is not None for rule in rules) and not scores:
        scores = {"hold": 10, "deny": 40}
    return Policy(FIELDS, made + listed, rules, scores)


# Events

def most_disorder(policy):
    """Up to what (ms) the embedded table is exact for events out of order."""
    return min([60, *(counter.window for counter in policy.counters
                      if counter.kind != "list")]) * 1000


def steps(policy):
    widths = sorted({counter.window * 1000 for counter in policy.counters}
                    | {rule.add[1] * 1000 for rule in policy.rules if rule.add})
    near = [step for width in widths
            for step in (width // 10, width // 2, width - 1, width,
                         width + 1, 2 * width)]
    return st.one_of(st.sampled_from([0, 0, 1, 500, 1500]),
                     st.integers(0, 3000), st.sampled_from(near))


def items():
    one = st.fixed_dictionaries(
        {}, optional={"sku": st.sampled_from(["p1", "p2", 7, "7"]),
                      "size": st.sampled_from(["s", "l"])})
    return st.lists(one, max_size=3)


bodies = st.fixed_dictionaries(
    {"action": st.sampled_from(["x", "x", "x", "y", "z"]),
     "account": st.sampled_from(["u", "u", "v", "42", ""]),
     "device": st.sampled_from(["d1", "d1", "d2", "d3", "d4", ""]),
     "amount": st.sampled_from(["", "1", "-2.5", "0.0000005", "12.3456785",
                                "900", "much"]),
     "content": st.sampled_from(list(CONTENTS)),
     "items": items(),
     "status": st.sampled_from([200, 201, 404, 502])},
    optional={"rating": st.sampled_from([1, 2, 4.5, 5]),
              "ticket": st.sampled_from(["t1", "t2", ""]),
              "upstream_http_x_ticket": st.sampled_from(["t1", "t2", ""])})


@st.composite
def histories(draw, policy):
    disorder = most_disorder(policy)
    clock, events = START + draw(st.integers(0, 86_400_000)), []
    for number in range(draw(st.integers(1, 40))):
        clock += draw(steps(policy))
        back = draw(st.integers(0, disorder)) \
            if draw(st.integers(0, 3)) == 0 else 0
        events.append({**draw(bodies), "at": clock - back,
                       "event": f"{number:026}"})
    return events


@pytest.mark.parametrize("dry_run", [False, True])
def test_generated_events_are_answered_as_by_the_model(store, dry_run):
    @generated
    @given(data=st.data())
    def run(data):
        policy = data.draw(policies())
        check(store, policy, data.draw(histories(policy)), dry_run)

    run()


@st.composite
def overlaps(draw, policy):
    """Calls that wait for each other: begun, decided, ended in any order."""
    clock, events, kept = START, [], []
    step = most_disorder(policy) // 40
    for number in range(draw(st.integers(2, 40))):
        clock += draw(st.integers(0, step))
        if kept and (len(kept) == 8 or draw(st.booleans())):
            place = draw(st.sampled_from(kept))
            kept.remove(place)
            events.append({"at": clock, "end": place})
        else:
            event = {**draw(bodies), "at": clock, "event": f"{number:026}"}
            if draw(st.integers(0, 3)):
                event["keep"] = min(set(range(8)) - set(kept))
                kept.append(event["keep"])
            events.append(event)
    return events + [{"at": clock, "end": place} for place in kept]


def test_overlapping_calls_take_back_only_their_own(store):
    """Not for distinct, first and last: Redis cannot compare as it writes."""
    @generated
    @given(data=st.data())
    def run(data):
        policy = data.draw(policies(kinds=("count", "exact", "sum", "mean")))
        check(store, policy, data.draw(overlaps(policy)))

    run()


# By hand

def call(at, event, **more):
    return {"at": START + at, "event": f"{event:026}", "action": "x",
            "account": "u", "status": 200, **more}


def see(*made, then="hold", limit=1000000):
    return Policy(FIELDS, list(made),
                  [Rule(f"see_{one.name}",
                        Expr("compare", (one.name, ">", limit)), then)
                   for one in made])


@pytest.mark.parametrize("kind", ["distinct", "exact"])
def test_full_logs_let_go_of_the_same_members(store, kind):
    """Hundreds in the same milliseconds: ties are broken alike."""
    value = "device" if kind == "distinct" else None
    policy = see(Counter("log", kind, window=60, max=50, value=value),
                 Counter("many", kind, window=3600, max=500, value=value))
    events = [call(number // 40 * 7000, number,
                   device=f"d{number * 7919 % 311}") for number in range(900)]
    check(store, policy, events)


def test_a_ban_counts_denials(store):
    policy = Policy(
        FIELDS,
        [Counter("calls"),
         Counter("denied", on=("decision.deny",), window=86400),
         Counter("tries", when="attempts")],
        [Rule("fast", Expr("compare", ("calls", ">", 3)), "deny"),
         Rule("banned", Expr("compare", ("denied", ">=", 5)), "deny"),
         Rule("tried", Expr("compare", ("tries", ">", 1000)), "hold")])
    events = [call(number * 1000, number) for number in range(12)]
    events += [call(7_200_000, 12), call(90_000_000 * 2, 13)]
    check(store, policy, events)
    decisions = [one.decision for one in expected(policy, events)]
    assert decisions == ["allow"] * 3 + ["deny"] * 10 + ["allow"]


def test_a_ban_lifts_by_itself_in_the_events_own_time(store):
    """In Redis the entry outlives the history, whose weeks pass at once."""
    banned = Expr("listed", ("banned",))
    policy = Policy(
        FIELDS,
        [Counter("denied", on=("decision.deny",), cond=Expr("not", (banned,))),
         Counter("banned", "list")],
        [Rule("much", Expr("compare", ("amount", ">", 100)), "deny"),
         Rule("ban", Expr("compare", ("denied", ">=", 5)),
              add=("banned", 604800)),
         Rule("banned", banned, "deny")])
    hour, week = 3_600_000, 604_800_000
    events, wanted = [], []
    for begin in (0, week + 10 * hour):
        number = len(events)
        events += [call(begin + second, number + second, amount="900")
                   for second in range(5)]
        events += [call(begin + 10, number + 5)]
        events += [call(begin + 10 + retry * hour, number + 5 + retry)
                   for retry in range(1, 169)]
        wanted += ["deny"] * 5 + ["allow"] + ["deny"] * 167 + ["allow"]
    check(store, policy, events)
    assert [one.decision for one in expected(policy, events)] == wanted


@pytest.mark.parametrize("kind", ["count", "exact", "distinct"])
def test_alike_texts_share_a_counter(store, kind):
    value = "device" if kind == "distinct" else None
    policy = see(Counter("all", kind, 60, ("content",), value),
                 Counter("own", kind, 60, ("account", "content"), value),
                 Counter("each", kind, 60, ("content", "sku"), value,
                         when="completed"),
                 Counter("refused", kind, 600, ("content",), value,
                         on=("decision.throttle",)))
    policy.rules.append(Rule("many", Expr("compare", ("all", ">", 4)),
                             "throttle"))
    events = [call(number * 1700, number, content=content,
                   account="uv"[number % 3 % 2], device=f"d{number % 5}",
                   items=[{"sku": sku} for sku in range(number % 4)])
              for number, content in enumerate(list(CONTENTS) * 9)]
    check(store, policy, events)
    assert "throttle" in {one.decision for one in expected(policy, events)}


def test_near_duplicates_are_counted_by_the_band(store):
    """Texts that share some bands only: the fullest band is the value."""
    words = "one two three four five six seven eight nine ten eleven".split()
    texts = [" ".join(words[:11 - number % 4]) for number in range(12)]
    events = [call(number * 1000, number, content=text, device=f"d{number}")
              for number, text in enumerate(texts)]
    policy = see(Counter("n", "distinct", key=("content",), value="device"),
                 Counter("m", key=("account", "content")))
    answers = [answer["counter"] for answer in store.run(policy, events)[:-1]]
    assert answers == [answer["counter"] for answer in
                       Store("embedded", store.folder, None).run(
                           policy, events)[:-1]]
    # a copy counts its originals at least, and nothing that is not there
    for number, answer in enumerate(answers):
        assert number // 4 + 1 <= answer["n"] <= number + 1
        assert answer["m"] == answer["n"]
    assert answers[11]["n"] > 3


def test_notes_spare_commands(folder, redis):
    """A hot key costs one command once its bucket is over a second old."""
    policy = see(Counter("calls"))
    events = [call(number * 10, number) for number in range(1000)]
    plain = check(Store("redis", folder, redis), policy, events)
    noted = check(Store("redis with notes", folder, redis), policy, events)
    assert plain == 3 * len(events)
    assert noted <= 1.3 * len(events)


# The comparison itself

def test_a_difference_is_seen(folder, redis):
    """Of each kind: a model that is off by a little is not what stores say."""
    store = Store("embedded", folder, redis)
    for kind in ("count", "exact", "distinct", "sum", "mean", "first",
                 "last"):
        value = {"distinct": "device", "sum": "amount",
                 "mean": "amount"}.get(kind)
        right = see(Counter("c", kind, window=10, value=value, warmup=0))
        wrong = see(replace(right.counters[0], window=11))
        events = [call(number * 1300, number, device=f"d{number % 9}",
                       amount=str(number ** 2)) for number in range(12)]
        if kind in ("first", "last"):
            events.append(call(11 * 1300 + 10_500, 12))
        answers = store.run(right, events)[:-1]
        assert all(difference(one, answer) is None for one, answer
                   in zip(expected(right, events), answers))
        assert any(difference(one, answer) for one, answer
                   in zip(expected(wrong, events), answers)), kind
