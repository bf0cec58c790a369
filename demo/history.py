"""What happened on the marketplace before today: four hundred days of honest
orders, reviews and logins, as a platform would export them from its database.

Without a past every rule that asks how long somebody has been known, or what he
bought, would have to wait for its warm-up: sixty days for purchases, a year for
who is new. `integrityctl load` fills it in.
"""

import random

from market import (CATALOGUE, KETTLE, MERCHANTS, NEWCOMERS, RING_MERCHANT,
                    SHOPPERS, device_of)

DAY = 86400
DAYS = 400
NEIGHBOURS = 240                # customers who do not come by today

PRODUCTS = sorted(product for product, merchant in CATALOGUE.items()
                  if merchant != RING_MERCHANT)


def _customers():
    """[(account, device), …]"""
    known = [(f"shopper-{number}", device_of(number))
             for number in range(SHOPPERS) if number not in NEWCOMERS]
    return known + [(f"neighbour-{number}", f"neighbour-phone-{number}")
                    for number in range(NEIGHBOURS)]


def _purchase(chance, account, device, at):
    """An order, and a review a few days later; its text stays at home."""
    product = KETTLE if chance.random() < .1 else chance.choice(PRODUCTS)
    said = {"account": account, "merchant": CATALOGUE[product],
            "product": product}
    if device:
        said["device"] = device
    yield {"time": at, "action": "order.create", **said}
    yield {"time": at + chance.uniform(2, 9) * DAY, "action": "review.create",
           "rating": chance.choice([2, 3, 4, 4, 4, 5, 5]), **said}


def events(now):
    """All of it in order of time, the last a minute before `now`."""
    chance = random.Random(7)
    begin = now - DAYS * DAY
    found = []
    for account, device in _customers():
        # everybody's first purchase is more than a year ago
        for at in [begin + chance.uniform(0, 20) * DAY,
                   *(begin + chance.uniform(20, DAYS - 10) * DAY
                     for _ in range(chance.choice([2, 4, 8])))]:
            found += _purchase(chance, account, device, at)
    for number, merchant in enumerate(MERCHANTS):
        found += [{"time": now - day * DAY - 60, "action": "merchant.login",
                   "merchant": merchant, "device": f"till-{number}"}
                  for day in range(0, DAYS, 7)]
    return sorted(found, key=lambda event: event["time"])
