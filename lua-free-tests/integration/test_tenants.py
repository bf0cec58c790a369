"""Tenants: one policy, keys of their own for each."""

import pytest

from harness.ledger import POLICY, ledger

TENANTS = POLICY.replace("key=account", "key=account,item") + """
    integrity_field   item $http_x_item;
"""

LIMIT = """
    integrity_zone    integrity:4m;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account $http_x_account;
    integrity_counter hits    key=account window=1h;
    integrity_rule    over    "hits > 2" then=throttle;
"""


def post(server, tenant, account="ann", item="i", path="/"):
    return server.post(path, headers={
        "X-Account": account, "X-Item": item,
        "X-Tenant": tenant.encode("latin-1")}).status_code


@pytest.fixture(params=["embedded", "redis"])
def store(request, redis):
    if request.param == "embedded":
        return ""
    return f"integrity_redis {redis()} timeout=1s;"


SERVER = """
    integrity on; integrity_action order.create;
    integrity_tenant $http_x_tenant;
    location / { proxy_pass http://%%APP%%; }
"""


def test_keys_of_different_tenants_never_meet(nginx, app, store):
    server = nginx(http=TENANTS + store, server=SERVER, APP=app)
    keys = [("a", "bc", "d"), ("ab", "c", "d"), ("a", "b", "cd"),
            ("", "abc", "d"), ("abc", "d", "d"), ("A", "bc", "d"),
            ("a", "b,c", "d"), ("a", "b", "c,d"), ("a:", "bc", "d"),
            ("a\xff", "bc", "d")]
    for _ in range(2):
        for key in keys:
            assert post(server, *key) == 200
    entries = ledger(server)
    assert [entry.calls for entry in entries] == [1] * 10 + [2] * 10
    assert [entry.decision.get("tenant") for entry in entries][:4] == [
        "a", "ab", "a", None]


def test_a_limit_of_one_tenant_is_not_anothers(nginx, app, store):
    server = nginx(http=LIMIT + store, server=SERVER, APP=app)
    assert [post(server, "one") for _ in range(4)] == [200, 200, 429, 429]
    assert [post(server, "two") for _ in range(4)] == [200, 200, 429, 429]
    assert post(server, "one") == 429
    server.quit()
    assert {line["evaluation"] for line in server.audit_lines("decision")
            } == {"complete", "cached"}


def test_inheritance(nginx, app):
    server = nginx(http=POLICY + "integrity_tenant outer;", server="""
        integrity on; integrity_action order.create;
        location /http { proxy_pass http://%%APP%%; }
        location /own  { integrity_tenant $host-$server_port;
                         proxy_pass http://%%APP%%;
                         location /own/same { proxy_pass http://%%APP%%; }
                         location /own/none { integrity_tenant "";
                                              proxy_pass http://%%APP%%; } }
    """, APP=app)
    for path in ("/http", "/own", "/own/same", "/own/none", "/http"):
        assert post(server, "x", path=path) == 200
    own = f"127.0.0.1-{server.port}"
    assert [(entry.decision.get("tenant"), entry.calls)
            for entry in ledger(server)] == [
        ("outer", 1), (own, 1), (own, 2), (None, 1), ("outer", 2)]


def test_a_long_tenant_is_cut_in_the_line_only(nginx, app):
    server = nginx(http=POLICY, server=SERVER, APP=app)
    for tenant in ("t" * 900 + "a", "t" * 900 + "b", "t" * 900 + "a"):
        assert post(server, tenant) == 200
    entries = ledger(server)
    assert [entry.calls for entry in entries] == [1, 1, 2]
    assert {entry.decision.get("cut") for entry in entries} == {True}
