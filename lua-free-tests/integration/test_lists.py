"""Lists that act, over both stores: bans that lift, trust, shields."""

import time

import pytest

from harness.ledger import ledger
from harness.settings import wait_until

HEAD = """
    integrity_zone    integrity:4m;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account  $http_x_account private;
    integrity_field   merchant $http_x_merchant;
    integrity_field   amount   $http_x_amount;
"""

SERVER = """
    integrity on; integrity_action order.create;
    location / { proxy_pass http://%%APP%%; }
    location /dry { integrity dry_run; proxy_pass http://%%APP%%; }
"""

BAN = HEAD + """
    integrity_list    banned   key=account;
    integrity_counter denials  on=decision.deny key=account window=1d
                               "if=!banned";
    integrity_rule    too_much "amount > 100"   then=deny;
    integrity_rule    ban      "denials >= 5"   add=banned:3s;
    integrity_rule    banned   "banned"         then=deny;
"""


@pytest.fixture(params=["embedded", "redis"])
def store(request, redis):
    if request.param == "embedded":
        return ""
    return f"integrity_redis {redis()} timeout=1s;"


def post(server, account=None, merchant=None, amount=None, path="/"):
    headers = {"X-Account": account, "X-Merchant": merchant,
               "X-Amount": amount}
    return server.post(path, headers={
        name: str(value) for name, value in headers.items()
        if value is not None}).status_code


def rule(entry, name):
    """What the event says of a rule that fired; or None."""
    return next((found for found in entry["rule"] if found["name"] == name),
                None)


def test_five_denials_lead_to_a_ban_that_lifts(nginx, app, store):
    server = nginx(http=BAN.replace("window=1d", "window=1s") + store,
                   server=SERVER, APP=app)

    # the five within one bucket of the counter
    wait_until(lambda: time.time() % 1 < 0.2, what="a new second")
    assert [post(server, "ann", amount=500) for _ in range(5)] == [403] * 5
    assert post(server, "ann") == 200       # it is this call that bans
    begin = time.monotonic()

    # constant retries do not make it longer
    refused = 0
    while post(server, "ann") == 403:
        refused += 1
        assert time.monotonic() - begin < 20
    lasted = time.monotonic() - begin
    assert refused > 10
    assert 2.5 < lasted < 4.5
    assert [post(server, "ann") for _ in range(3)] == [200] * 3
    assert post(server, "bob") == 200

    entries = ledger(server)
    assert [entry["counter"].get("denials") for entry in entries[:6]][0] == 0
    assert entries[0].decision.get("list") is None
    assert rule(entries[5], "ban")["add"] == "banned:3s"
    banned = [entry for entry in entries if entry["decision"] == "deny"][5:]
    assert len(banned) == refused
    assert all(entry["list"] == ["banned"] for entry in banned)
    assert all(rule(entry, "banned") for entry in banned)
    # what the ban denied was not counted
    assert entries[-2]["counter"]["denials"] == 0
    assert "list" not in entries[-2].decision


def test_the_ban_is_the_accounts_alone(nginx, app, store):
    server = nginx(http=BAN.replace("3s", "1h") + store, server=SERVER,
                   APP=app)
    for account in ("ann", "ben"):
        assert [post(server, account, amount=500)
                for _ in range(4)] == [403] * 4
    assert post(server, "ann", amount=500) == 403
    assert post(server, "ann") == 200
    assert [post(server, name) for name in ("ann", "ben", "eve")] == [
        403, 200, 200]
    # a call without an account is no banned one
    assert post(server) == 200
    # the place in dry run says what it would have done
    assert post(server, "ann", path="/dry") == 200
    entry = ledger(server)[-1]
    assert entry["would"] == "deny"


def test_a_dry_run_puts_nobody_on_a_list(nginx, app, store):
    server = nginx(http=HEAD + """
        integrity_list banned key=account;
        integrity_rule ban     "amount > 1" add=banned:1h;
        integrity_rule try_ban "amount > 0" add=banned:1h dry_run;
        integrity_rule banned  "banned" then=deny;
    """ + store, server=SERVER, APP=app)
    assert post(server, "ann", amount=5, path="/dry") == 200
    assert post(server, "ann") == 200
    assert post(server, "ann", amount=1) == 200
    assert post(server, "ann") == 200
    assert post(server, "ann", amount=2) == 200
    assert post(server, "ann") == 403
    assert ["add" in str(entry["rule"]) for entry in ledger(server)] == [
        False, False, False, False, True, False]


def test_a_list_of_trust(nginx, app, store):
    server = nginx(http=HEAD + """
        integrity_list    trusted key=account;
        integrity_counter calls   key=account window=1h exact;
        integrity_rule    trust   "amount == 7"  add=trusted:1h;
        integrity_rule    trusted "trusted"      then=allow;
        integrity_rule    many    "calls > 2"    then=throttle;
    """ + store, server=SERVER, APP=app)
    assert [post(server, "ann") for _ in range(4)] == [200, 200, 429, 429]
    assert post(server, "ann", amount=7) == 429
    # known to be over its limit, and yet the list is asked
    assert [post(server, "ann") for _ in range(4)] == [200] * 4
    assert [post(server, "bob") for _ in range(3)] == [200, 200, 429]


def test_the_limits_cache_hides_no_list(nginx, app, store):
    """A call answered from memory would never notice the change of a list."""
    server = nginx(http=HEAD + """
        integrity_list    banned key=account;
        integrity_counter calls  key=account window=1h;
        integrity_rule    ban    "amount == 7"  add=banned:1h;
        integrity_rule    banned "banned"       then=deny;
        integrity_rule    many   "calls > 2"    then=throttle;
    """ + store, server=SERVER, APP=app)
    assert [post(server, "ann") for _ in range(4)] == [200, 200, 429, 429]
    assert post(server, "ann", amount=7) == 429
    assert [post(server, "ann") for _ in range(2)] == [403] * 2


def test_a_shield_makes_rules_stricter(nginx, app, store):
    server = nginx(http=HEAD + """
        integrity_list    shielded key=merchant;
        integrity_counter orders   key=account,merchant window=1h exact;
        integrity_rule    attack   "amount > 100" add=shielded:1h;
        integrity_rule    strict   "shielded && orders > 1" then=hold score=5;
        integrity_rule    usual    "orders > 3" then=throttle;
    """ + store, server=SERVER, APP=app)
    for merchant in ("m1", "m2"):
        assert [post(server, "ann", merchant) for _ in range(2)] == [200] * 2
    assert post(server, "eve", "m1", 500) == 200
    for merchant in ("m1", "m2"):
        assert post(server, "ann", merchant) == 200
    entries = ledger(server)
    assert [(entry["field"]["merchant"], entry["decision"])
            for entry in entries[-2:]] == [("m1", "hold"), ("m2", "allow")]


def test_a_list_is_not_known_without_redis(nginx, app, redis):
    server_redis = redis()
    server = nginx(http=BAN.replace("then=deny;\n", "then=deny "
                                    "on_error=hold;\n")
                   + f"integrity_redis {server_redis} timeout=1s;",
                   server=SERVER, APP=app)
    assert post(server, "ann") == 200
    server_redis.stop()
    server.declare(log=[r"\[error\] .*redis"])
    assert post(server, "ann") == 200
    entry = ledger(server)[-1]
    assert entry["evaluation"] == "degraded"
    assert entry["list_unknown"] == ["banned"]
    assert rule(entry, "banned") == {"name": "banned", "decision": "hold",
                                     "on_error": True}
    assert entry["decision"] == "hold"


def test_what_redis_keeps_has_a_ttl_and_names_nobody(nginx, app, redis):
    server_redis = redis()
    server = nginx(http=HEAD + f"""
        integrity_redis {server_redis} timeout=1s;
        integrity_list banned key=account;
        integrity_rule ban   "amount == 1" add=banned:1h;
        integrity_rule renew "amount == 2" add=banned:2h renew;
        integrity_rule short "amount == 3" add=banned:5s;
        integrity_rule banned "banned" then=deny;
    """, server=SERVER, APP=app)
    client = server_redis.client()

    def entry():
        (key,) = client.keys("ig:1:{banned:*")
        assert b"zoe" not in key
        return round(client.ttl(key) / 60), client.get(key)

    assert post(server, "zoe", amount=1) == 200
    wait_until(lambda: client.keys("ig:1:{banned:*"), what="the entry")
    minutes, until = entry()
    assert minutes == 60
    assert 3500 < int(until) / 1000 - time.time() < 3601
    assert post(server, "zoe", amount=3) == 403
    assert entry() == (60, until)
    assert post(server, "zoe", amount=2) == 403
    wait_until(lambda: entry()[0] == 120, what="a longer time")
