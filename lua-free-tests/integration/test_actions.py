"""Actions: from names, maps and bodies; calls that name none."""

from urllib.parse import quote

import pytest

from harness import senders
from harness.ledger import POLICY, ledger, told

KNOWN = POLICY.replace("key=account", "key=account on=order.*,review.create") \
    .replace("then=", "on=order.*,review.create then=")


def post(server, path, account="ann", method="POST", **arguments):
    return server.request(method, path, headers={"X-Account": account},
                          **arguments).status_code


def unclassified(server):
    return [(line.get("path"), line.get("method"), line.get("action"),
             line["count"], line["denied"])
            for line in server.audit_lines("unclassified")]


MAP = KNOWN + r"""
    map "$request_method $uri" $operation {
        "~^POST /v1/products/(?<sku>[^/]+)/reviews$"  review.create;
        "~^POST /v1/orders$"                          order.create;
        "~^PUT /v1/(?<kind>[^/]+)/"                   order.$kind;
        "~^POST /named/(?<name>.*)$"                  $name;
        "~^POST /arg"                                 $arg_name;
    }
    integrity_field  product  $sku      on=review.create;
    integrity_field  coupon   $arg_c    decode;
    integrity_field  kind     $kind;
"""


def test_map_with_captures(nginx, app):
    server = nginx(http=MAP, server="""
        location / { integrity on; integrity_action $operation;
                     proxy_pass http://%%APP%%; }
    """, APP=app)
    assert post(server, "/v1/products/x%20y/reviews?c=10%25+off") == 200
    assert post(server, "/v1/orders") == 200
    assert post(server, "/v1/status/7", method="PUT") == 200
    assert post(server, "/v1/status/7", "bad", method="PUT") == 403
    assert [(entry["action"], entry["field"]) for entry in ledger(server)] == [
        ("review.create", {"account": "ann", "product": "x y",
                           "coupon": "10%+off"}),
        ("order.create", {"account": "ann"}),
        ("order.status", {"account": "ann", "kind": "status"}),
        ("order.status", {"account": "bad", "kind": "status"})]


@pytest.mark.parametrize("name, known", [
    ("review.create", True), ("order.anything-at_all.9", True),
    ("order." + "x" * 58, True), ("order." + "x" * 59, False),
    ("order.", True), ("order", False), ("review.created", False),
    ("Review.create", False), ("review.create ", False), ("*", False),
    ("order.*", False), ("decision.deny", False), ("", False),
    ("order.a\nb", False), ("order.\0", False), ("\u4f60", False),
    ('order."}', False),
])
def test_names_at_run_time(nginx, app, name, known):
    server = nginx(http=MAP, server="""
        location / { integrity on; integrity_action $operation;
                     proxy_pass http://%%APP%%; }
    """, APP=app)
    status = post(server, "/named/" + quote(name, safe=""), "bad")
    if "\0" in name:
        assert status == 400
        return
    assert status == (403 if known else 200)
    entries = ledger(server)
    assert [entry["action"] for entry in entries] == [name] * known
    lines = unclassified(server)
    assert len(lines) == (not known)


def test_what_no_action_is_does_not_reach_the_log(nginx, app):
    # Root cause: whatever a map had made of a query string or a body was
    # written as the unclassified call's action, though those are never to be
    # in the log.
    server = nginx(http=MAP, server="""
        location / { integrity on; integrity_action $operation;
                     proxy_pass http://%%APP%%; }
    """, APP=app)
    for name in ("ann@example.org", "4929 1234", "S3CRET", "x" * 200,
                 "pass%20word"):
        assert post(server, "/arg?name=" + name) == 200
        server.wait_audit(1, "unclassified")
    assert post(server, "/arg?name=review.moved") == 200
    assert ledger(server) == []
    text = server.audit_path.read_text()
    for word in ("example", "4929", "S3CRET", "xxx", "word"):
        assert word not in text
    assert unclassified(server) == [("/", "POST", None, 1, False),
                                    ("/", "POST", "review.moved", 5, False)]


GRAPHQL = KNOWN + """
    integrity_field  op      json:/operationName;
    integrity_field  product json:/variables/sku on=review.create;
    integrity_field  shop    json:/variables/shop on=order.create private;
    map $integrity_field_op $action {
        Review  review.create;
        Order   order.create;
        default "";
    }
"""


def test_the_action_is_in_the_body(nginx, app):
    server = nginx(http=GRAPHQL, server="""
        location / { integrity on; integrity_action $action body;
                     proxy_pass http://%%APP%%; }
        location /strict { integrity on;
                           integrity_action $action body unclassified=deny;
                           proxy_pass http://%%APP%%; }
        location /lax { integrity on; integrity_action $action body;
                        integrity_body invalid=pass;
                        proxy_pass http://%%APP%%; }
    """, APP=app)
    calls = [
        ("/", {"operationName": "Review", "variables": {"sku": "a"}}, 200),
        ("/", {"operationName": "Order", "variables": {"shop": "s"}}, 200),
        ("/", {"operationName": "Other"}, 200),
        ("/", {"operationName": {}}, 400),
        ("/", {"operationName": "Review", "variables": {"sku": []}}, 400),
        ("/", None, 200),
        ("/strict", {"operationName": "Other"}, 403),
        ("/strict", None, 403),
        ("/lax", {"operationName": []}, 200),
        ("/lax", {"operationName": "Review", "variables": {"sku": []}}, 200),
    ]
    for path, body, status in calls:
        arguments = {} if body is None else {"json": body}
        assert post(server, path, **arguments) == status, (path, body)
    for raw in (b"{", b'{"operationName":"Review","operationName":"x"}'):
        assert server.raw(senders.post_request("/", raw)).status == 400
    entries = ledger(server)
    assert [(entry["action"], entry["decision"], entry.decision.get("body"))
            for entry in entries] == [
        ("review.create", "allow", None), ("order.create", "allow", None),
        ("", "deny", "unexpected type"),
        ("review.create", "deny", "unexpected type"),
        ("", "deny", "no action named"), ("", "deny", "no action named"),
        ("review.create", "allow", "unexpected type"),
        ("", "deny", "invalid json"), ("", "deny", "invalid json")]
    assert entries[0]["field"] == {"account": "ann", "op": "Review",
                                   "product": "a"}
    assert entries[1]["field"]["shop"].startswith("p:k1:")
    assert entries[6]["field"] == {"account": "ann", "op": None,
                                   "product": None}


def test_body_in_a_file_names_the_action(nginx, app):
    server = nginx(http=GRAPHQL, server="""
        client_body_in_file_only clean;
        location / { integrity on; integrity_action $action body;
                     proxy_pass http://%%APP%%; }
    """, APP=app)
    body = {"operationName": "Review", "variables": {"sku": "a"},
            "query": "q" * 5000}
    assert post(server, "/", json=body) == 200
    (entry,) = ledger(server)
    assert (entry["action"], entry["field"]["product"]) == ("review.create",
                                                            "a")
    assert app.requests[0].json() == body


def test_methods(nginx, app):
    server = nginx(http=POLICY, server="""
        integrity on;
        location /default { integrity_action order.create;
                            proxy_pass http://%%APP%%; }
        location /some    { integrity_action order.create GET BREW HEAD;
                            proxy_pass http://%%APP%%; }
    """, APP=app)
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
               "BREW", "PURGE")
    for path in ("/default", "/some"):
        for method in methods:
            assert post(server, path, method=method) == 200
    assert [(entry["path"], entry["method"]) for entry in ledger(server)] == [
        *(("/default", method) for method in ("POST", "PUT", "PATCH",
                                              "DELETE")),
        *(("/some", method) for method in ("GET", "HEAD", "BREW"))]
    assert len(app.requests) == 2 * len(methods)


# Unclassified calls


def test_unclassified_calls_are_told_once_a_minute(nginx, app):
    server = nginx(http=KNOWN, server="""
        integrity on;
        location /literal { integrity_action moved.away;
                            proxy_pass http://%%APP%%; }
        location /none    { integrity_action $arg_none;
                            proxy_pass http://%%APP%%; }
        location /status  { integrity_status; }
    """, APP=app)
    for method in ("POST", "PUT", "GET", "DELETE"):
        assert post(server, "/literal", method=method) == 200
    assert post(server, "/none", "bad") == 200
    server.wait_audit(2, "unclassified")
    assert server.get("/status").json()["calls"]["unclassified"] == 4
    assert told(server) == []
    assert unclassified(server) == [
        ("/literal", "POST", "moved.away", 1, False),
        ("/none", "POST", None, 1, False),
        ("/literal", "DELETE", "moved.away", 2, False)]


def test_each_place_tells_of_its_own_calls(nginx, app):
    # Root cause: places that inherited one integrity_action shared one count,
    # so that only the first of them was told, for a minute, and later counts
    # under the name of the last.
    server = nginx(http=KNOWN, server="""
        integrity on; integrity_action $arg_action;
        location /a { proxy_pass http://%%APP%%; }
        location /b { proxy_pass http://%%APP%%;
                      location /b/c { proxy_pass http://%%APP%%; } }
    """, APP=app)
    for path in ("/a", "/b", "/b/c", "/a", "/b/c", "/b/c"):
        assert post(server, path) == 200
    assert told(server) == []
    seen = {}
    for path, *_, count, _ in unclassified(server):
        seen.setdefault(path, []).append(count)
    assert seen == {"/a": [1, 1], "/b": [1], "/b/c": [1, 2]}


def test_unclassified_deny(nginx, app):
    server = nginx(http=KNOWN, server="""
        integrity on; integrity_action $arg_action unclassified=deny;
        location / { proxy_pass http://%%APP%%; }
        location /dry { integrity dry_run; proxy_pass http://%%APP%%; }
        location /off { integrity off; proxy_pass http://%%APP%%; }
        location /page { error_page 403 =200 /ok;
                         proxy_pass http://%%APP%%; }
        location = /ok { return 200 ok; }
    """, APP=app)
    assert post(server, "/?action=nothing") == 403
    assert post(server, "/?action=Not.Valid") == 403
    assert post(server, "/") == 403
    assert post(server, "/?action=order.create") == 200
    assert post(server, "/dry") == 200
    assert post(server, "/off") == 200
    assert post(server, "/", method="GET") == 200
    assert post(server, "/page") == 200
    entries = ledger(server)
    why = "no action named"
    assert [(entry["decision"], entry.decision.get("would"),
             entry["evaluation"], entry.decision.get("body"))
            for entry in entries] == [
        ("deny", None, "skipped", why), ("deny", None, "skipped", why),
        ("deny", None, "skipped", why), ("allow", None, "complete", None),
        ("allow", "deny", "skipped", why), ("deny", None, "skipped", why)]
    assert len(app.requests) == 4


def test_wildcards_only(nginx, app):
    server = nginx(http=POLICY.replace("key=account", "key=account on=*")
                   .replace("then=", "on=shop.* then="), server="""
        location / { integrity on; integrity_action $arg_action;
                     proxy_pass http://%%APP%%; }
        location /status { integrity_status; }
    """, APP=app)
    for action, account, status in (("shop.open", "bad", 403),
                                    ("cart.add", "bad", 200),
                                    ("shop.close", "hasty", 429),
                                    ("shop.open", "ann", 200)):
        assert post(server, "/?action=" + action, account) == status
    assert post(server, "/?action=decision.deny", "bad") == 200
    assert server.get("/status").json()["calls"]["calls"] == 4
    assert [(entry["action"], entry.calls) for entry in ledger(server)] == [
        ("shop.open", 1), ("cart.add", 2), ("shop.close", 1),
        ("shop.open", 1)]


def test_the_next_place_reads_the_body_by_its_own_rules(nginx, app):
    # Root cause: what one place had made of a body, its reason not to inspect
    # it or the tree parsed within its limits, was kept for the next place.
    server = nginx(http=KNOWN + """
        integrity_field op  json:/op on=order.create;
        integrity_field all json:/all;
    """, server="""
        root %%DIR%%/root;
        integrity on;
        location /any  { integrity_action $arg_none body;
                         integrity_body depth=9 invalid=pass oversize=pass;
                         try_files $uri @deep; }
        location /none { integrity_action $arg_none body;
                         integrity_body invalid=pass;
                         try_files $uri @other; }
        location @deep  { integrity_action order.create;
                          integrity_body depth=2;
                          proxy_pass http://%%APP%%; }
        location @other { integrity_action order.$arg_x;
                          integrity_body invalid=pass;
                          proxy_pass http://%%APP%%; }
    """, APP=app)
    for path, body, status in (
            ("/any", b'{"op":1}', 200), ("/any", b'{"op":1,"x":[[1]]}', 413),
            ("/any", b"{", 400), ("/none?x=create", b'{"op":2}', 200)):
        assert server.raw(senders.post_request(path, body)).status == status
    assert [(entry["decision"], entry.decision.get("body"),
             entry["field"].get("op")) for entry in ledger(server)] == [
        ("allow", None, 1), ("deny", "too deep", None),
        ("deny", "invalid json", None), ("allow", None, 2)]


def test_a_reason_is_not_handed_on(nginx, app):
    server = nginx(http=KNOWN + "integrity_field all json:/all on=none.*;",
                   server="""
        root %%DIR%%/root;
        integrity on;
        location /any  { integrity_action $arg_none body;
                         integrity_body invalid=pass;
                         try_files $uri @next; }
        location @next { integrity_action order.create;
                         proxy_pass http://%%APP%%; }
    """, APP=app)
    assert server.raw(senders.post_request("/any", b"{")).status == 200
    (entry,) = ledger(server)
    assert "body" not in entry.decision
