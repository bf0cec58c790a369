"""A day on the marketplace: shoppers, and three ways of forging reviews.

Everybody is told apart by what everybody has: an account, a device id and an
address (loopback has 16 million of them). Nothing says who is honest; that is
for the policy in conf/demo.conf to find out.
"""

import http.client
import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from servers import Trouble

HONEST = "honest shoppers"
HAMMER = "one account hammers reviews"
FARM = "a device farm praises one product"
RING = "a merchant buys from itself"
GROUPS = [HONEST, HAMMER, FARM, RING]

# {product: merchant}
CATALOGUE = {
    f"{name}-{number}": merchant
    for merchant, name in (("m-lamps", "lamp"), ("m-books", "book"),
                           ("m-tools", "tool"), ("m-toys", "toy"),
                           ("m-creams", "cream"), ("m-cables", "cable"))
    for number in range(1, 7)
}
CATALOGUE["kettle-1"] = "m-kitchen"

KETTLE = "kettle-1"             # everybody likes it
CREAM = "cream-1"               # the farm is paid for it
RING_MERCHANT = "m-cables"
MERCHANTS = sorted(set(CATALOGUE.values()))

SHOPPERS = 60

# Who never reviewed here before. One of them praises the kettle in its best
# hour, after another review: all in all not enough to be held.
NEWCOMERS = {13, 24, 38, 50}

# What honest people write: one of each, so that hardly two write the same.
OPINIONS = [
    ["It came on the second day,", "I looked for this for months,",
     "Bought as a gift for my sister,", "The box was a little torn,",
     "We use it nearly every evening,", "Not what the picture showed,",
     "My third one from this shop,", "Ordered it on a friend's advice,"],
    ["it does exactly what I need,", "the colour is darker than I thought,",
     "setting it up took ten minutes,", "the price could be lower,",
     "one screw was missing at first,", "the manual helps nobody,",
     "smaller than I had imagined,", "well made for that money,"],
    ["my neighbour wants one too,", "the children fight for it,",
     "it makes no noise at all,", "cleaning it is easy enough,",
     "it smelt of plastic for a day,", "I keep it in the kitchen,",
     "it survived a fall already,", "the cable is rather short,"],
    ["after two weeks of use", "for what I paid", "in my small flat",
     "now that winter is here", "with the children around",
     "as far as I can tell", "compared to the last one", "on a good day"],
    ["so I am content.", "and I would order here again.",
     "let us see how long it lasts.", "the old one was better, though.",
     "service answered within an hour.", "that is all there is to say.",
     "four stars from me, no more.", "my wife sees that differently."],
]


@dataclass
class Call:
    """One call as its caller saw it."""

    group: str
    what: str                   # login, order, review
    status: int
    event: str


@dataclass
class Day:
    """Where the calls go and what came of them."""

    port: int
    calls: list = field(default_factory=list)


class Caller:
    """Somebody with an account, a device and an address."""

    def __init__(self, day, group, account, device, address):
        self.group = group
        self.account = account
        self._day = day
        self._headers = {"Content-Type": "application/json"}
        if device:
            self._headers["X-Device-Id"] = device
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", day.port, timeout=30, source_address=(address, 0))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.leave()

    def leave(self):
        self._connection.close()

    def _post(self, what, path, body):
        self._connection.request("POST", path, json.dumps(body),
                                 self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        try:
            said = json.loads(text or b"{}")
        except ValueError:
            raise Trouble(f"a {what} of {self.account} was answered with "
                          f"{answer.status} and no JSON: {text!r}") from None
        self._day.calls.append(Call(self.group, what, answer.status,
                                    said.get("event", "")))
        return said

    def log_in(self):
        said = self._post("login", "/v1/login", {"account": self.account})
        self._headers["Authorization"] = f"Bearer {said.get('token')}"

    def log_in_as_merchant(self, merchant):
        self._post("login", "/v1/merchants/login", {"merchant_id": merchant})

    def order(self, product):
        self._post("order", "/v1/orders", {
            "merchant_id": CATALOGUE[product], "items": [{"sku": product}],
            "total": 19.9})

    def review(self, product, rating, content):
        self._post("review", f"/v1/products/{product}/reviews", {
            "merchant_id": CATALOGUE[product], "rating": rating,
            "content": content})


# Shoppers

def device_of(number):
    """A few share a tablet, one has a browser that tells no device."""
    if number < 3:
        return "tablet-of-the-family"
    return None if number == 9 else f"phone-{number}"


def _shopper(day, number):
    """Who shopper `number` is; a few share an office's address."""
    address = f"127.20.{number}.7"
    if number < 3:
        address = "127.20.0.7"
    elif number < 9:
        address = "127.20.200.1"
    return Caller(day, HONEST, f"shopper-{number}", device_of(number), address)


def opinion(chance):
    return " ".join(chance.choice(part) for part in OPINIONS)


def shop(day, number):
    """Orders, and reviews what came."""
    chance = random.Random(number)
    bought = chance.sample([product for product in CATALOGUE
                            if CATALOGUE[product] != RING_MERCHANT
                            and product != KETTLE], chance.choice([1, 1, 2]))
    if number % 5 < 3:
        bought.append(KETTLE)
    with _shopper(day, number) as shopper:
        shopper.log_in()
        for product in bought:
            shopper.order(product)
        for product in bought:
            rating = 5 if product == KETTLE else chance.choice([2, 3, 4, 4, 5])
            shopper.review(product, rating, opinion(chance))
        if number == 10:        # a present: this account never ordered it
            shopper.review("book-2", 5, opinion(chance))


def open_shops(day):
    """The merchants log in, each in its own office."""
    for number, merchant in enumerate(MERCHANTS):
        group = RING if merchant == RING_MERCHANT else HONEST
        with Caller(day, group, merchant, f"till-{number}",
                    f"127.30.{number}.2") as caller:
            caller.log_in_as_merchant(merchant)


# Schemes

def hammer(day):
    """One star for whatever competitors sell, sixty times, and no order."""
    products = [product for product in CATALOGUE
                if CATALOGUE[product] not in (RING_MERCHANT, "m-creams")]
    with Caller(day, HAMMER, "grudge", "phone-of-grudge",
                "127.40.0.4") as caller:
        caller.log_in()
        for number in range(60):
            caller.review(products[number % len(products)], 1,
                          f"Broke at once. {number}")


def farm(day):
    """Forty-eight accounts on four phones, five stars for one product."""
    workers = [Caller(day, FARM, f"fan-{number}", f"farm-phone-{number % 4}",
                      f"127.50.{number}.3") for number in range(48)]
    for worker in workers:
        worker.log_in()
    for number, worker in enumerate(workers):
        with worker:
            worker.review(CREAM, 5, "I look ten years younger after a week, "
                          f"and so does my whole family. {number}")


def ring(day):
    """A merchant's cousin orders and orders; three of the staff, at the
    shop's own till, order and are delighted, and so is the cousin.
    """
    till = MERCHANTS.index(RING_MERCHANT)
    products = [product for product, merchant in CATALOGUE.items()
                if merchant == RING_MERCHANT]
    cousin = Caller(day, RING, "cousin", "phone-of-cousin", "127.60.0.5")
    buyers = [cousin] + [Caller(day, RING, f"staff-{number}", f"till-{till}",
                                f"127.30.{till}.{60 + number}")
                         for number in range(3)]
    for buyer in buyers:
        buyer.log_in()
        for product in products * (2 if buyer is cousin else 1):
            buyer.order(product)
    for product in products:
        for buyer in buyers:
            buyer.review(product, 5, "Never had a better cable.")
    for buyer in buyers:
        buyer.leave()


def come_back(day, account):
    """Somebody of the farm logs in once more."""
    number = int(account.rpartition("-")[2])
    with Caller(day, FARM, account, f"farm-phone-{number % 4}",
                f"127.50.{number}.3") as caller:
        caller.log_in()


def play(day):
    """The whole day, all at once."""
    open_shops(day)
    with ThreadPoolExecutor(8) as pool:
        tasks = [pool.submit(scheme, day) for scheme in (hammer, farm, ring)]
        tasks += [pool.submit(shop, day, number)
                  for number in range(SHOPPERS)]
        for task in tasks:
            task.result()
