"""Audit logs made by chance, and what is in them counted by another hand.

A Story writes lines as the module does, of several days, and is the same for
the same seed. `lines` are its files' bytes, `events` what was decided, so that
dossier and report can be held against a recount.
"""

import datetime
import hashlib
import json
import random

from harness.chain import Chain

DECISIONS = ("allow", "hold", "throttle", "deny")
RULES = {"too_fast": "throttle", "device_farm": None, "banned": "deny",
         "self_review": "hold", "copy_paste": None}
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BEGIN = datetime.datetime(2026, 11, 16, tzinfo=datetime.timezone.utc)


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + \
        f"{moment.microsecond // 1000:03}Z"


def ulid(moment, chance):
    number = int(moment.timestamp() * 1000) << 80 | chance.getrandbits(80)
    return "".join(CROCKFORD[number >> 5 * i & 31] for i in range(25, -1, -1))


class Timed(Chain):
    """A chain whose lines happen when they are told to, in raw UTF-8."""

    moment = BEGIN

    def line(self, kind, **members):
        self.seq += 1
        whole = {"v": 1, "kind": kind, "time": stamp(self.moment), **members,
                 "chain": self.id, "seq": self.seq}
        if self.dropped:
            whole["dropped"] = self.dropped
            self.dropped = 0
        whole["prev"] = self.last
        text = json.dumps(whole, separators=(",", ":"), ensure_ascii=False)
        body = text[:-1].encode()
        self.last = hashlib.sha256(body).hexdigest()
        return body + b',"hash":"' + self.last.encode() + b'"}\n'


class Story:
    """Days of calls; attributes say what a recount needs."""

    def __init__(self, seed, calls=400, days=10, merchants=("m-42", "m-7"),
                 lost=0):
        self.chance = random.Random(seed)
        self.days = days
        self.merchants = merchants
        self.lines = []
        self.calls = []         # (time, members of the decision, how often)
        self.changes = []
        self.unclassified = []
        self.chains = [Timed(f"edge-1/{i}") for i in range(2)]
        self.accounts = [f"p:k1:{self._letters(22)}" for _ in range(12)]
        self.devices = [f"p:k1:{self._letters(22)}" for _ in range(5)]
        for chain in self.chains:
            self.lines.append(chain.open())
        self._policy()
        times = sorted(self.chance.random() for _ in range(calls))
        for count, share in enumerate(times):
            self.moment = BEGIN + datetime.timedelta(
                milliseconds=int(share * days * 86400000))
            if lost and count == calls // 2:
                self.chains[0].lose(lost)
            self._step()
        for chain in self.chains:
            self.lines.append(self._timed(chain).close())

    def write(self, path):
        path.write_bytes(b"".join(self.lines))
        return path

    def _letters(self, count):
        return "".join(self.chance.choice(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            for _ in range(count))

    def _timed(self, chain):
        chain.moment = getattr(self, "moment", BEGIN)
        return chain

    def _chain(self):
        return self._timed(self.chance.choice(self.chains))

    def _policy(self):
        text = ("integrity_field account private;\n"
                "integrity_list banned key=account;\n"
                "integrity_list shielded key=merchant;\n")
        self.lines.append(self._chain().line(
            "policy", policy="a" * 16, sha256="a" * 64, part=1, parts=1,
            text=text))

    def _step(self):
        what = self.chance.random()
        if what < 0.02:
            self._change()
        elif what < 0.04:
            self._unclassified()
        else:
            self._call()

    def _change(self):
        account = self.chance.choice(self.accounts)
        op = self.chance.choice(("add", "add", "remove"))
        members = {"event": ulid(self.moment, self.chance), "op": op,
                   "name": "banned"}
        if op == "add":
            members["until"] = stamp(self.moment + datetime.timedelta(days=2))
        members |= {"reason": "刷单 <b>case 7</b>", "by": "desk",
                    "field": {"account": account}, "policy": "a" * 16}
        self.lines.append(self._chain().line("list", **members))
        self.changes.append((self.moment, members))

    def _unclassified(self):
        count = self.chance.randint(1, 9)
        self.lines.append(self._chain().line(
            "unclassified", action="", method="POST", path="/v1/",
            count=count, denied=False))
        self.unclassified.append((self.moment, count))

    def _rules(self):
        names = [name for name in RULES if self.chance.random() < 0.12]
        rules = []
        for name in names:
            rule = {"name": name}
            if RULES[name]:
                rule["decision"] = RULES[name]
            else:
                rule["score"] = 60
            if self.chance.random() < 0.2:
                rule["dry_run"] = True
            elif name == "banned":
                rule["add"] = "banned:1d"
            rules.append(rule)
        return rules

    def _decision(self, rules, dry):
        best = 0
        for rule in rules:
            if rule.get("dry_run") and not dry:
                continue
            best = max(best, DECISIONS.index(rule.get("decision", "hold")))
        return DECISIONS[best]

    def _call(self):
        chance, moment = self.chance, self.moment
        rules = self._rules()
        decision = self._decision(rules, False)
        would = self._decision(rules, True)
        evaluation = chance.choices(
            ("complete", "degraded", "cached", "skipped"), (90, 4, 5, 1))[0]
        event = ulid(moment, chance)
        members = {"event": event,
                   "action": chance.choice(("review.create", "order.create",
                                            "merchant.price.update")),
                   "decision": decision, "mode": "enforce", "score": 0}
        if would != decision:
            members["would"] = would
        members |= {"evaluation": evaluation, "method": "POST",
                    "path": "/v1/", "node": "edge-1"}
        if chance.random() < 0.02:
            members["body"] = "invalid json"
        members |= {
            "field": {"account": chance.choice(self.accounts),
                      "device": chance.choice(self.devices),
                      "merchant": chance.choice(self.merchants),
                      "product": [f"sku-{chance.randint(1, 9)}"
                                  for _ in range(chance.randint(1, 2))],
                      "rating": chance.randint(1, 5),
                      "content": f"t:9:{self._letters(22)}"},
            "counter": {"account_1h": chance.randint(1, 30)},
            "rule": rules, "policy": "a" * 16}
        if len(members["field"]["product"]) == 1:
            members["field"]["product"] = members["field"]["product"][0]
        chain = self._chain()
        self.lines.append(chain.line("decision", **members))
        self.calls.append((moment, members, 1))
        self.lines.append(chain.line(
            "outcome", event=event, status=201 if decision == "allow" else 429,
            duration_ms=3))
        if evaluation == "cached":
            count = chance.randint(1, 40)
            chain.moment += datetime.timedelta(milliseconds=900)
            self.lines.append(chain.line("repeat", event=event, count=count))
            self.calls.append((chain.moment, members, count))
