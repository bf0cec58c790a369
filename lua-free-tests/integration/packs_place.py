"""Policies of packs and stories of what happens, for the tests of the packs."""

import random

from harness.settings import ROOT

RULES = ROOT / "conf" / "rules"

START = 1_700_000_000
MINUTE, HOUR, DAY = 60, 3600, 86400

SOURCES = {
    "account": "$account private", "device": "$http_x_device_id private",
    "network": "$remote_addr private net=24/56", "product": "$sku",
    "merchant": "json:/merchant_id", "rating": "json:/rating",
    "content": "json:/content text",
}


def fields(*names):
    return "".join(f"integrity_field {name} {SOURCES[name]};\n"
                   for name in names)


def pack(*names):
    """A policy of these packs alone, with every field there is."""
    return fields(*SOURCES) + "".join(f"include {RULES}/{name}.conf;\n"
                                      for name in names)


class Story:
    """Events, and which rules the last one fires."""

    def __init__(self):
        self.events = []

    def add(self, at, action, **members):
        self.events.append({"time": START + at, "action": action, **members})
        return self

    def repeat(self, times, every, at, action, **members):
        """Members may be functions of the number."""
        for n in range(times):
            self.add(at + n * every, action, **{
                key: value(n) if callable(value) else value
                for key, value in members.items()})
        return self


def order(story, at, account="ann", merchant="m", **more):
    return story.add(at, "order.create", account=account, merchant=merchant,
                     **more)


def review(story, at, account="ann", rating=4, product="p", **more):
    return story.add(at, "review.create", account=account, rating=rating,
                     product=product, **more)


def merchant_login(story, at, **more):
    return story.add(at, "merchant.login", **{
        "account": "boss", "device": "till", "merchant": "m", **more})


def crowd(at, count, every, product="p", rating=4, name="c", **more):
    return Story().repeat(count, every, at, "review.create", product=product,
                          account=lambda n: f"{name}{n}", rating=rating,
                          **more)


# An attack

CATALOGUE = [f"p{n}" for n in range(200)]
TARGET = "p7"
RATINGS = [5] * 60 + [4] * 22 + [3] * 8 + [2] * 3 + [1] * 7

PAST = 100                      # days of honest reviews, 500 a day


class Market:
    """A season of honest reviews, then a sale's day with a farm in its midst.

    The day has four times as many honest reviews as others, three in ten of
    them by people who never reviewed before; one in ten was given what he
    reviews. One device in fifty has two owners.
    """

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.events = []

    def honest(self, at, n, **more):
        who = {"account": f"s{n}", "device": f"d{n - (n % 50 == 1)}"}
        # some products sell far more than others
        product = CATALOGUE[int(self.rng.expovariate(1 / 40))
                            % len(CATALOGUE)]
        if self.rng.random() < .9:
            self.events.append({
                "time": at - self.rng.randint(2 * DAY, 20 * DAY),
                "action": "order.create", "product": product, **who})
        self.events.append({
            "time": at, "action": "review.create", "product": product,
            "rating": self.rng.choice(RATINGS), **who, **more})

    def run(self):
        today = START + PAST * DAY
        for _ in range(PAST * 500):
            self.honest(self.rng.randint(START, today - 1),
                        self.rng.randrange(20000))
        for n in range(2000):
            known = self.rng.random() < .7
            self.honest(today + self.rng.randrange(DAY),
                        n * 10 if known else 20000 + n, who="honest")
        for n in range(300):
            self.events.append({
                "time": today + 12 * HOUR + n * HOUR / 300,
                "action": "review.create", "product": TARGET, "rating": 5,
                "account": f"fake{n}", "device": f"farm{n % 12}",
                "who": "farm"})
        self.events.sort(key=lambda event: event["time"])
        return self.events
