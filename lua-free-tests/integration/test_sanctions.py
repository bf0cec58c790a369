"""conf/rules/sanctions.conf: bans that lift by themselves, watches, farms,
shields, and what people put on lists."""

import json
import re
import subprocess
from collections import Counter

import pytest

from harness.backtest import Bench
from harness.settings import CTL
from packs_place import (DAY, HOUR, MINUTE, RULES, START, Story, crowd,
                         merchant_login, order, pack, review)

WEEK = 7 * DAY


@pytest.fixture
def bench(folder):
    return Bench(folder)


def run(bench, story, *packs, more=""):
    """[(event, decision, rules), …] where all of the past is known."""
    story.events.sort(key=lambda event: event["time"])
    found = bench.decisions(pack(*packs) + more, story.events, "--warm")
    return [(event, decision, set(rules)) for event, (decision, _, rules)
            in zip(story.events, found)]


# Who does not stop

def hammering(times=116):
    """One account, a review every five seconds, by the clock of an hour."""
    return Story().repeat(times, 5, 1600, "review.create", account="ann",
                          rating=3, product=lambda n: f"p{n}")


def test_throttled_denied_banned(bench):
    """A hundred throttles make a denial, five denials a ban."""
    found = run(bench, hammering(), "reviews", "sanctions")
    assert Counter(decision for _, decision, _ in found[:10]) == {"allow": 10}
    assert all(decision == "throttle" for _, decision, _ in found[10:110])
    for _, decision, rules in found[110:115]:
        assert decision == "deny" and "insistent" in rules
    assert "repeat_offender" in found[115][2]


def test_a_ban_ends_by_itself_under_constant_retries(bench):
    """Refusals of somebody who is banned do not make it longer."""
    story = hammering()
    banned = story.events[-1]["time"]
    for n in range(1, 9 * 24 * 6):
        review(story, banned - START + n * 10 * MINUTE, product=f"r{n}")
    after = [(event["time"] - banned, decision, rules) for event, decision,
             rules in run(bench, story, "reviews", "sanctions")][116:]
    for since, decision, rules in after:
        assert ("banned_account" in rules) == (since < WEEK), since
        assert decision == ("deny" if since < WEEK else "allow"), since
    assert after[-1][0] > WEEK + DAY


@pytest.mark.parametrize("guard", [True, False])
def test_nobody_has_somebody_else_banned(bench, guard):
    """A login names an account that it has not proved: ann is not banned for
    what strangers try on her. Without the guard in `if=` she is."""
    story = Story().repeat(300, 12, 0, "account.login", status=401,
                           account="ann", network=lambda n: f"10.0.{n}.1")
    order(story, 2 * HOUR)
    text = (RULES / "sanctions.conf").read_text()
    if not guard:
        text = text.replace(" && !has(unproven)", "")
    found = run(bench, story, "accounts", more=text)
    assert sum("password_guess" in rules for _, _, rules in found) > 200
    assert any("repeat_offender" in rules for _, _, rules in found) \
        != guard
    assert found[-1][1] == ("allow" if guard else "deny")


# Who is watched

def test_five_holds_in_a_week_are_a_week_of_being_watched(bench):
    story = merchant_login(Story(), 0)
    for n in range(5):          # on the till of the shop he reviews
        review(story, HOUR + n * DAY, product=f"p{n}", merchant="m",
               device="till")
    begin = 5 * DAY
    for n in range(12 * 24):
        review(story, begin + n * HOUR, product=f"q{n}", merchant="n",
               device="own")
    found = run(bench, story, "reviews", "sanctions")[6:]
    assert found[0][2] >= {"watch"} and found[0][1] == "allow"
    for event, decision, rules in found[1:]:
        since = event["time"] - START - begin
        assert ("watched_account" in rules) == (since < WEEK), since
        assert decision == ("hold" if since < WEEK else "allow"), since
        assert "watch" not in rules


# Farms

def test_a_farm_that_rests_is_not_forgotten(bench):
    """After a week its device is known by nothing but the list."""
    story = crowd(0, 5, HOUR, device="d", name="f")
    for day in (10, 20, 29, 31, 40):
        review(story, day * DAY, f"f{day}", device="d", product=f"r{day}")
        order(story, day * DAY + 60, f"f{day}", device="d")
        review(story, day * DAY, f"o{day}", device=f"own{day}",
               product=f"r{day}")
    found = [(event["device"], event["time"] - START, decision, rules)
             for event, decision, rules in run(bench, story, "reviews",
                                               "sanctions")]
    assert "farm_found" in found[3][3]
    for device, at, decision, rules in found[5:]:
        listed = device == "d" and at < 30 * DAY + 3 * HOUR
        assert rules.isdisjoint({"device_farm", "farm_found"})
        assert ("farm_device" in rules) == listed, (device, at)
        assert decision == ("hold" if listed else "allow"), (device, at)


# Shields

ATTACK = 100 * DAY


def customers(story, count, rating, **more):
    """Half of them known for a month, half of them new; all bought it."""
    for n in range(count):
        name = f"{more['name']}{n}"
        if n % 2:
            review(story, 50 * DAY + n * MINUTE, name, product="other",
                   merchant="n", device=f"{name}-phone")
        order(story, ATTACK - 3 * DAY + n * MINUTE, name, "m",
              product=more["product"], device=f"{name}-phone")
        review(story, ATTACK + n * HOUR // count, name, rating(n),
               more["product"], merchant="m", device=f"{name}-phone")


def praise_attack():
    """Thirty newcomers praise p in half an hour, each on a device of his own;
    another thirty are less fond and go on for another half. Forty customers
    review it in the same hour, and forty another product of that shop."""
    story = Story()
    for n in range(200):        # what it was before
        for product in ("other", "p"):
            review(story, n * 11 * HOUR, f"before{n % 40}", 4, product,
                   merchant="m", device=f"b{n % 40}")
    customers(story, 40, lambda n: 3 + n % 3, name="buyer", product="p")
    customers(story, 40, lambda n: 3 + n % 3, name="other", product="q")
    for n in range(60):
        review(story, ATTACK + n * MINUTE, f"fake{n}", 5 if n < 30 else 4,
               merchant="m", device=f"farm{n}")
    return story


def held(found, name, since=ATTACK):
    """(held, all) of these accounts' reviews of the day."""
    decided = [decision for event, decision, _ in found
               if event["action"] == "review.create"
               and re.fullmatch(rf"{name}\d+", event["account"])
               and event["time"] - START >= since]
    return sum(one != "allow" for one in decided), len(decided)


def test_what_a_shield_adds(bench):
    """The same hour without and with it: the rest of the attack is held, and
    of the customers nobody whom reviews.conf lets pass."""
    without = run(bench, praise_attack(), "reviews")
    shield = run(bench, praise_attack(), "reviews", "sanctions")
    for found in (without, shield):
        print({name: held(found, name) for name in ("fake", "buyer", "other")})
    raised = [event["time"] for event, _, rules in shield
              if "praise_shield" in rules]
    assert len(raised) == 1
    slower = ATTACK + 30 * MINUTE
    assert held(without, "fake", slower) == (0, 30)
    assert held(shield, "fake", slower) == (30, 30)
    for name in ("buyer", "other"):
        assert held(shield, name) == held(without, name)
    assert held(shield, "buyer")[0] <= 5 and held(shield, "other")[0] == 0
    assert not any({"shield_stranger", "shield_device"} & rules
                   for event, _, rules in shield
                   if not event["account"].startswith("fake"))


def test_a_shield_goes_down_after_an_hour(bench):
    """It goes up again while the last hour is still one of praise."""
    story = praise_attack()
    for n in range(120):
        review(story, ATTACK + n * 2 * MINUTE + 30, f"gift{n}", 4, merchant="m",
               device=f"g{n}")
    found = run(bench, story, "reviews", "sanctions")
    raised = [event["time"] for event, _, rules in found
              if "praise_shield" in rules]
    assert len(raised) == 2 and raised[1] - raised[0] >= HOUR
    for event, _, rules in found:
        if event["account"].startswith("gift"):
            assert ("shield_stranger" in rules) == any(
                up < event["time"] < up + HOUR for up in raised)
    assert found[-1][0]["time"] > raised[1] + HOUR


def test_a_shop_that_is_slandered(bench):
    """A star for each of its products; its other products are shielded too,
    other shops' are not, and two grown accounts on one device have one
    voice."""
    story = Story()
    for name in ("grown1", "grown2"):
        review(story, DAY, name, product="other", merchant="n", device="two")
    customers(story, 20, lambda n: 1 + n % 5, name="buyer", product="p1")
    for n in range(30):
        review(story, ATTACK + n * MINUTE, f"fake{n}", 1, f"p{n % 9}",
               merchant="m", device=f"farm{n}")
    late = ATTACK + 40 * MINUTE
    review(story, late, "stranger1", 4, "p99", merchant="m", device="s1")
    review(story, late, "stranger2", 4, "r1", merchant="n", device="s2")
    for name in ("grown1", "grown2"):
        review(story, late, name, 2, "p5", merchant="m", device="two")
    found = run(bench, story, "reviews", "sanctions")
    fired = {event["account"]: rules for event, _, rules in found}
    assert sum("slander_shield" in rules for _, _, rules in found) == 1
    shielding = {"shield_stranger", "shield_device"}
    assert fired["stranger1"] & shielding == {"shield_stranger"}
    assert fired["stranger2"] & shielding == set()
    assert fired["grown1"] & shielding == set()
    assert fired["grown2"] & shielding == {"shield_device"}
    assert held(found, "fake", ATTACK + 20 * MINUTE) == (10, 10)
    assert not any(shielding & rules for name, rules in fired.items()
                   if name.startswith("buyer"))


# What people put on lists, in nginx

PLACES = """
    listen 127.0.0.1:%%PORT%%;
    listen unix:%%DIR%%/control.sock;
    integrity_action $http_x_action;
    location / { integrity on; proxy_pass http://%%APP%%; }
    location = /integrity/control { integrity_control; allow unix:; deny all; }
"""

HEADERS = {"account": "$http_x_account private",
           "device": "$http_x_device private", "product": "$http_x_product",
           "merchant": "$http_x_merchant", "rating": "$http_x_rating",
           "content": "$http_x_content text"}


def test_what_people_put_on_lists(nginx, app):
    policy = "".join(f"integrity_field {name} {source};\n"
                     for name, source in HEADERS.items()) + "".join(
        f"include {RULES}/{name}.conf;\n" for name in ("reviews", "sanctions"))
    server = nginx(http="integrity_zone integrity:4m; integrity_secret "
                        "%%SECRET%%; integrity_audit %%AUDIT%%;\n" + policy,
                   server=PLACES, APP=app)

    def call(action, account="", merchant="m", product="p"):
        answer = server.post("/", headers={
            "X-Action": action, "X-Account": account, "X-Rating": "4",
            "X-Merchant": merchant, "X-Product": product})
        return answer.status_code

    def listed(verb, name, key, *more):
        done = subprocess.run(
            [CTL, "list", verb, name, key, "--socket",
             f"unix:{server.dir}/control.sock", *more], timeout=60,
            capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["listed"]

    def add(name, key):
        return listed("add", name, key, "--for", "1h", "--reason", "a ring",
                      "--by", "ada")

    spree = [call("review.create", "ann", product=f"p{n}") for n in range(11)]
    assert spree == [200] * 10 + [429]
    assert add("trusted", "account=ann")
    assert call("review.create", "ann") == 200
    assert add("banned", "account=ann")
    assert [call(action, "ann") for action in (
        "review.create", "order.create", "account.login")] == [403] * 3
    assert not listed("remove", "banned", "account=ann", "--reason",
                      "somebody else", "--by", "ada")
    assert call("review.create", "ann") == 200

    assert add("frozen", "merchant=m-42")
    assert [call("merchant.payout.update", "boss", merchant)
            for merchant in ("m-42", "m-43")] == [403, 200]
