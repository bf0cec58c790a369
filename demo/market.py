"""A day on the marketplace: shoppers, and three ways of forging reviews.

Everybody is told apart by what everybody has: an account, a device id and an
address (loopback has 16 million of them). Nothing says who is honest; that is
for the policy in conf/demo.conf to find out.
"""

import http.client
import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

HONEST = "honest shoppers"
HAMMER = "one account hammers reviews"
FARM = "a device farm praises one product"
RING = "a merchant and four buyers"
GROUPS = [HONEST, HAMMER, FARM, RING]

COURIER = "courier"

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

SHOPPERS = 40


@dataclass
class Call:
    """One call as its caller saw it."""

    group: str
    what: str                   # login, order, delivery, review
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

    def _post(self, what, path, body, group=None):
        self._connection.request("POST", path, json.dumps(body),
                                 self._headers)
        answer = self._connection.getresponse()
        said = json.loads(answer.read() or b"{}")
        self._day.calls.append(Call(group or self.group, what, answer.status,
                                    said.get("event", "")))
        return said

    def log_in(self):
        said = self._post("login", "/v1/login", {"account": self.account})
        self._headers["Authorization"] = f"Bearer {said.get('token')}"

    def log_in_as_merchant(self, merchant):
        self._post("login", "/v1/merchants/login", {"merchant_id": merchant})

    def order(self, product):
        """The number of the order, or None where none was taken."""
        return self._post("order", "/v1/orders", {
            "merchant_id": CATALOGUE[product], "items": [{"sku": product}],
            "total": 19.9}).get("order")

    def review(self, product, rating, content):
        self._post("review", f"/v1/products/{product}/reviews", {
            "merchant_id": CATALOGUE[product], "rating": rating,
            "content": content})


class Courier(Caller):
    """Drives for everybody, one parcel after the other."""

    def __init__(self, day):
        super().__init__(day, HONEST, COURIER, "scanner-1", "127.9.9.9")
        self._busy = threading.Lock()

    def deliver(self, order, product, buyer):
        with self._busy:
            self._post("delivery", "/v1/deliveries", {
                "order": order, "buyer": buyer.account,
                "items": [{"sku": product}]}, buyer.group)


# Shoppers

def _shopper(day, number):
    """Who shopper `number` is: a few share a tablet, a few an office."""
    address = f"127.20.{number}.7"
    device = f"phone-{number}"
    if number < 3:              # a family with one tablet
        device, address = "tablet-of-the-family", "127.20.0.7"
    elif number < 9:            # colleagues, behind one address
        address = "127.20.200.1"
    elif number == 9:           # a browser that tells no device
        device = None
    return Caller(day, HONEST, f"shopper-{number}", device, address)


def shop(day, courier, number):
    """Orders, waits for the parcels, and reviews what came."""
    chance = random.Random(number)
    bought = chance.sample([product for product in CATALOGUE
                            if CATALOGUE[product] != RING_MERCHANT
                            and product != KETTLE], chance.choice([1, 1, 2]))
    if number % 5 < 3:
        bought.append(KETTLE)
    with _shopper(day, number) as shopper:
        shopper.log_in()
        for product in bought:
            order = shopper.order(product)
            if order:
                courier.deliver(order, product, shopper)
        for product in bought:
            rating = 5 if product == KETTLE else chance.choice([2, 3, 4, 4, 5])
            shopper.review(product, rating, f"Does what it should. {number}")
        if number == 10:        # a present: no parcel came to this account
            shopper.review("book-2", 5, "My aunt's choice, and a good one.")


def open_shops(day):
    """The merchants log in, each in its own office."""
    for number, merchant in enumerate(MERCHANTS):
        group = RING if merchant == RING_MERCHANT else HONEST
        with Caller(day, group, merchant, f"till-{number}",
                    f"127.30.{number}.2") as caller:
            caller.log_in_as_merchant(merchant)


# Schemes

def hammer(day, _courier):
    """One star for whatever competitors sell, sixty times, and no order."""
    products = [product for product in CATALOGUE
                if CATALOGUE[product] not in (RING_MERCHANT, "m-creams")]
    with Caller(day, HAMMER, "grudge", "phone-of-grudge",
                "127.40.0.4") as caller:
        caller.log_in()
        for number in range(60):
            caller.review(products[number % len(products)], 1,
                          f"Broke at once. {number}")


def farm(day, _courier):
    """Thirty-six accounts on four phones, five stars for one product."""
    workers = [Caller(day, FARM, f"fan-{number}", f"farm-phone-{number % 4}",
                      f"127.50.{number}.3") for number in range(36)]
    for worker in workers:
        worker.log_in()
    for number, worker in enumerate(workers):
        with worker:
            worker.review(CREAM, 5, f"Ten years younger! {number}")


def ring(day, courier):
    """Four friends of a merchant order, get empty boxes, and are delighted.

    Two of them sit in the merchant's office, two at home.
    """
    office = f"127.30.{MERCHANTS.index(RING_MERCHANT)}"
    buyers = [Caller(day, RING, f"friend-{number}", f"friend-phone-{number}",
                     f"{office}.{60 + number}" if number < 2
                     else f"127.60.{number}.5") for number in range(4)]
    products = [product for product, merchant in CATALOGUE.items()
                if merchant == RING_MERCHANT]
    for buyer in buyers:
        buyer.log_in()
    for product in products:
        for buyer in buyers:
            order = buyer.order(product)
            if order:
                courier.deliver(order, product, buyer)
        for buyer in buyers:
            buyer.review(product, 5, "Never had a better cable.")
    for buyer in buyers:
        buyer.leave()


def play(port):
    """The whole day, all at once; returns every call."""
    day = Day(port)
    open_shops(day)
    with Courier(day) as courier, ThreadPoolExecutor(8) as pool:
        courier.log_in()
        tasks = [pool.submit(scheme, day, courier)
                 for scheme in (hammer, farm, ring)]
        tasks += [pool.submit(shop, day, courier, number)
                  for number in range(SHOPPERS)]
        for task in tasks:
            task.result()
    return day.calls
