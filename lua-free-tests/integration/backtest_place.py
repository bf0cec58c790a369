"""Policies and events for the tests of backtest."""

import random

from model import Counter, Expr, Policy, Rule

START = 1_700_000_000

POLICY = """
    integrity_field account $account private;
    integrity_field amount json:/amount;
    integrity_counter hits_1h on=buy key=account window=1h exact;
    integrity_threshold limit 2;
    integrity_rule often "hits_1h > limit" on=buy score=60;
    integrity_rule dear "amount >= 100" on=buy then=deny;
    integrity_rule tried "amount >= 50" on=buy score=5 dry_run;
    integrity_scores hold=50;
"""


def buy(at, account="ann", **members):
    return {"time": START + at, "action": "buy", "account": account,
            **members}


EXPRS = [Expr("compare", (name, relation, number))
         for name, relation, number in (
             ("hits", ">", 2), ("exact", ">=", 3), ("devices", ">", 2),
             ("spent", ">", 40), ("mean", "<", 7), ("age", ">", 500),
             ("last", "<", 300), ("amount", ">", 15))]


def generated(seed):
    """A policy and events, of a reproducible kind."""
    rng = random.Random(seed)
    counters = [
        Counter("hits", window=rng.choice([60, 600]), on=("x", "y")),
        Counter("exact", "exact", 300, max=rng.choice([3, None]), on=("x",),
                when=rng.choice(["accepted", "attempts", "completed"])),
        Counter("devices", "distinct", 900, value="device", on=("*",)),
        Counter("spent", "sum", 600, value="amount", on=("x", "y")),
        Counter("mean", "mean", 600, ("device",), "amount", on=("y",)),
        Counter("age", "first", 3000, on=("*",), warmup=rng.choice([0, 900])),
        Counter("last", "last", 600, ("account", "device"), on=("x",),
                warmup=0, when=rng.choice(["accepted", "completed"])),
        Counter("late", "exact", 600, on=("*",),
                cond=Expr("compare", ("age", "<", 100))),
        Counter("refused", "exact", 900,
                on=("decision.deny", "decision.throttle")),
    ]
    chosen = [*rng.sample(EXPRS, 5), Expr("compare", ("late", ">", 1)),
              Expr("has", ("last",)), Expr("compare", ("refused", ">", 3))]
    policy = Policy(
        ["integrity_field account $account;",
         "integrity_field device $device private;",
         "integrity_field amount json:/amount;"],
        counters,
        [Rule(f"r{i}", expr, rng.choice([*[None] * 4, "hold", "throttle"]),
              rng.choice([-5, 10, 30]), dry_run=rng.random() < .2,
              on_error=rng.choice([None, None, "hold"]))
         for i, expr in enumerate(chosen)],
        {"hold": 20, "throttle": 40, "deny": 60})
    at, events = 0, []
    for _ in range(400):
        at += rng.choice([0, 1, 7, 30, 200])
        event = buy(at + rng.choice([0, 0.25]), rng.choice("abcdeg"))
        event["action"] = rng.choice("xxy")
        for name, values in (("device", ["d", "e", "f", ""]),
                             ("amount", [1, 2.5, "20", 10]),
                             ("status", [200, 201, 500])):
            if rng.random() < .8:
                event[name] = rng.choice(values)
        events.append(event)
    events.sort(key=lambda event: event["time"])
    return policy, events
