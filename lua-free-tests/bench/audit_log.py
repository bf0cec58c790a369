#!/usr/bin/python3
"""Writes an audit log of any length, as the module would have written it.

audit_log.py [--lines N] [--workers N] [--seed N] FILE

Decisions and their outcomes of a few workers, mixed as workers mix them; real
chains (integrityctl verify finds them clean), a policy line behind each
chain_open, accounts as pseudonyms. The same seed gives the same bytes.
"""

import argparse
import hashlib
import random
import sys

START = 1795435200000   # 2026-11-23T12:00:00Z, in ms
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
POLICY = (
    "integrity_field account $account on=* private;\n"
    "integrity_field merchant json:/merchant_id on=*;\n"
    "integrity_field rating json:/rating on=*;\n"
    "integrity_counter account_1h on=review.create key=account window=1h "
    "count=accepted warmup=0;\n"
    "integrity_counter device_accounts on=review.* key=account window=24h "
    "distinct=merchant max=1024 count=accepted warmup=0;\n"
    "integrity_threshold reviews_per_hour 10;\n"
    'integrity_rule device_farm "device_accounts > 3" on=review.create '
    "score=60;\n"
    'integrity_rule too_fast "account_1h > reviews_per_hour" '
    "on=review.create then=throttle;\n"
    "integrity_scores hold=50;\n"
    "integrity_time_zone UTC;\n")
HASH = hashlib.sha256(POLICY.encode()).hexdigest()


def stamp(moment):
    seconds, milliseconds = divmod(moment - START, 1000)
    hours, seconds = divmod(seconds + 12 * 3600, 3600)
    days, hours = divmod(hours, 24)
    return (f"2026-{11 if days < 8 else 12:02}-"
            f"{23 + days if days < 8 else days - 7:02}T"
            f"{hours:02}:{seconds // 60:02}:{seconds % 60:02}"
            f".{milliseconds:03}Z")


def ulid(moment, chance):
    number = moment << 80 | chance.getrandbits(80)
    return "".join(ALPHABET[number >> shift & 31]
                   for shift in range(125, -1, -5))


class Chain:
    """One worker's chain: seals bodies of lines."""

    def __init__(self, worker, chance):
        self.name = f"edge-1/{worker}/{chance.getrandbits(64):016x}"
        self.seq = 0
        self.last = "0" * 64

    def seal(self, body):
        self.seq += 1
        whole = (f'{body},"chain":"{self.name}","seq":{self.seq},'
                 f'"prev":"{self.last}"')
        self.last = hashlib.sha256(whole.encode()).hexdigest()
        return f'{whole},"hash":"{self.last}"}}\n'

    def open(self, moment):
        text = POLICY.replace("\\", "\\\\").replace('"', '\\"')
        text = text.replace("\n", "\\n")
        yield self.seal(
            f'{{"v":1,"kind":"chain_open","time":"{stamp(moment)}",'
            f'"node":"edge-1","version":"0.1.0","policy":"{HASH[:16]}",'
            f'"before":null')
        yield self.seal(
            f'{{"v":1,"kind":"policy","time":"{stamp(moment)}",'
            f'"node":"edge-1","policy":"{HASH[:16]}","sha256":"{HASH}",'
            f'"part":1,"parts":1,"text":"{text}"')

    def close(self, moment):
        return self.seal(
            f'{{"v":1,"kind":"chain_close","time":"{stamp(moment)}",'
            f'"node":"edge-1","issued":{self.seq + 1},"lost":0')


# How often, what took effect, the sum of scores, account_1h, device_accounts,
# the rules that fired.
RESULTS = [
    (90, "allow", 0, 3, 2, ""),
    (6, "hold", 60, 4, 5, '{"name":"device_farm","score":60}'),
    (4, "throttle", 0, 11, 1, '{"name":"too_fast","decision":"throttle",'
                              '"threshold":{"reviews_per_hour":10}}'),
]


def decision(moment, event, chance):
    _, name, score, calls, merchants, rules = chance.choices(
        RESULTS, [result[0] for result in RESULTS])[0]
    account = chance.randrange(20000)
    pseudonym = f"p:k1:{account:022}"
    return (
        f'{{"v":1,"kind":"decision","time":"{stamp(moment)}",'
        f'"event":"{event}","action":"review.create","decision":"{name}",'
        f'"mode":"enforce","score":{score},"evaluation":"complete",'
        f'"method":"POST","path":"/v1/",'
        f'"request":"{chance.getrandbits(128):032x}","node":"edge-1",'
        f'"field":{{"account":"{pseudonym}",'
        f'"merchant":"m-{chance.randrange(500)}",'
        f'"rating":{chance.randrange(1, 6)},'
        f'"content":"t:{chance.randrange(20, 400)}:{pseudonym[5:]}"}},'
        f'"counter":{{"account_1h":{calls},'
        f'"device_accounts":{merchants}}},'
        f'"rule":[{rules}],"policy":"{HASH[:16]}"'), name


def outcome(moment, event, name, chance):
    status = 429 if name == "throttle" else 201
    upstream = "" if name == "throttle" else f'"upstream":{status},'
    return (f'{{"v":1,"kind":"outcome","time":"{stamp(moment)}",'
            f'"event":"{event}","status":{status},{upstream}'
            f'"duration_ms":{chance.randrange(1, 90)},"node":"edge-1"')


def lines(count, workers=2, seed=1):
    """`count` lines, chains opened and closed included."""
    chance = random.Random(seed)
    chains = [Chain(worker, chance) for worker in range(workers)]
    written = workers * 3   # what opening and closing takes
    moment = START
    for chain in chains:
        yield from chain.open(moment)
    while written < count:
        chain = chance.choice(chains)
        moment += chance.randrange(0, 4)
        # workers write side by side: a line may be a little older
        begun = moment - chance.randrange(0, 20)
        event = ulid(begun, chance)
        body, name = decision(begun, event, chance)
        yield chain.seal(body)
        written += 1
        if written < count:
            yield chain.seal(outcome(moment, event, name, chance))
            written += 1
    for chain in chains:
        yield chain.close(moment)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("file")
    options = parser.parse_args()
    with open(options.file, "w", encoding="ascii") as out:
        for line in lines(options.lines, options.workers, options.seed):
            out.write(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
