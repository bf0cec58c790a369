"""Fields: from whatever nginx knows, in a log that stays whole whatever
clients put into them."""

import json

import pytest

from harness.answer import Answers
from harness.ledger import ledger
from harness.senders import head

HTTP = """
    integrity_zone   integrity:4m;
    integrity_secret %%SECRET%%;
    integrity_audit  %%AUDIT%%;
    log_format ids '$request_id';
    access_log %%DIR%%/ids.log ids;
"""

SERVER = """
    integrity on; integrity_action order.create;
    location / { proxy_pass http://%%APP%%; }
"""


def send(server, path="/", headers=(), body=b""):
    """One POST, bytes as they are; its status."""
    data = head("POST", path, [("Content-Type", "application/json"),
                               ("Content-Length", len(body))])
    extra = b"".join(name + b": " + value + b"\r\n"
                     for name, value in headers)
    return server.raw(data[:-2] + extra + b"\r\n" + body).status


def fields(server):
    return [entry["field"] for entry in ledger(server)]


def test_sources(nginx, app):
    server = nginx(http=HTTP + r"""
        map $http_x_plan $plan { default ""; gold "very $http_x_plan"; }
        integrity_field plan    $plan;
        integrity_field both    "$request_method ${uri}!";
        integrity_field fixed   "constant";
        integrity_field cookie  $cookie_session private;
        integrity_field raw     $arg_q;
        integrity_field decoded $arg_q decode;
        integrity_field host    $host;
        integrity_rule  any     "has(fixed)" score=1;
    """, server=SERVER, APP=app)
    assert send(server, "/a?q=x%2By+z%zz", [
        (b"X-Plan", b"gold"), (b"Cookie", b"a=b; session=s3cret")]) == 200
    assert send(server, "/a?q=", [(b"X-Plan", b"other")]) == 200
    first, second = fields(server)
    cookie = first.pop("cookie")
    assert cookie.startswith("p:k1:") and "s3cret" not in cookie
    assert first == {"plan": "very gold", "both": "POST /a!",
                     "fixed": "constant", "raw": "x%2By+z%zz",
                     "decoded": "x+y+z%zz", "host": "localhost"}
    assert second == {"both": "POST /a!", "fixed": "constant",
                      "host": "localhost"}
    assert "s3cret" not in server.audit_path.read_text()


@pytest.mark.parametrize("value", [
    b'quote " and \\ backslash', b"\xff\xfe broken", "très \u4f60".encode(),
    b"\xed\xa0\x80\xf4\x90\x80\x80", b"tab\there", b"\x01\x02\x7f control",
    b"</script>", b'","decision":"allow', b"x" * 255, b"x" * 256, b"x" * 257,
    b"x" * 254 + "\u00e9\u00e9".encode(), b"\\u0000", b"{}", b"null", b"-0",
    b"1e999", b" inner  blanks ",
])
def test_any_bytes_keep_the_line_whole(nginx, app, value):
    server = nginx(http=HTTP + """
        integrity_field   shown  $http_x_value;
        integrity_field   hidden $http_x_value private;
        integrity_field   text   $http_x_value text;
        integrity_counter seen   key=shown window=1h exact count=attempts;
        integrity_rule    any    "seen > 1000" then=deny;
    """, server=SERVER + "integrity_tenant $http_x_value;", APP=app)
    status = send(server, "/", [(b"X-Value", value)])
    if status == 400:       # nginx takes no control characters
        assert any(byte < 0x20 and byte != 9 or byte == 0x7f
                   for byte in value)
        return
    assert status == 200
    assert send(server, "/", [(b"X-Value", value)]) == 200
    entries = ledger(server)
    assert [entry["counter"]["seen"] for entry in entries] == [1, 2]
    shown = entries[0]["field"]["shown"]
    assert entries[0]["decision"] == "allow"
    trimmed = value.strip(b" ")
    if len(trimmed) <= 256:
        assert shown == trimmed.decode("utf-8", "replace") \
            or "\ufffd" in shown or "�" in trimmed.decode("utf-8", "replace")
    else:
        assert shown.endswith("\u2026") and entries[0].decision["cut"]
    assert len(shown.encode()) <= 260


@pytest.mark.parametrize("path", [
    "/a%0Ab", '/"quoted"', "/%FF%FE", "/%E4%BD%A0", "/" + "x" * 2000,
    "/a\\b", "/%22%2C%22seq%22%3A0"])
def test_any_path_keeps_the_line_whole(nginx, app, path):
    server = nginx(http=HTTP + "integrity_field x $uri;"
                   "integrity_rule any true score=1;",
                   server=SERVER + "integrity_audit %%AUDIT%% path=uri;",
                   APP=app)
    assert send(server, path + "?secret=in-the-query") == 200
    (entry,) = ledger(server)
    assert entry["path"].startswith("/")
    assert "in-the-query" not in server.audit_path.read_text()


def test_the_request_id_is_nginx_own(nginx, app):
    server = nginx(http=HTTP + "integrity_rule any true score=1;",
                   server=SERVER, APP=app)
    for _ in range(3):
        assert send(server) == 200
    seen = [entry["request"] for entry in ledger(server)]
    assert seen == (server.dir / "ids.log").read_text().split()


# Networks and realip


def test_networks(nginx, app):
    server = nginx(http=HTTP + """
        set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;
        integrity_field   network $remote_addr net=24/56;
        integrity_field   claimed $http_x_forwarded_for net=24/56;
        integrity_counter calls   key=network window=1h exact count=attempts;
        integrity_rule    any     "calls > 1000" then=deny;
    """, server=SERVER, APP=app)
    addresses = [b"192.0.2.7", b"192.0.2.200", b"192.0.3.7",
                 b"2001:db8:1:100::1", b"2001:db8:1:1ff::2",
                 b"2001:db8:1:200::1", b"::ffff:192.0.2.9"]
    for address in addresses:
        assert send(server, "/", [(b"X-Real-IP", address)]) == 200
    assert send(server, "/", [(b"X-Forwarded-For", b"192.0.2.1, 10.0.0.1")]
                ) == 200
    entries = ledger(server)
    assert [entry["counter"]["calls"] for entry in entries] == [
        1, 2, 1, 1, 2, 1, 3, 1]
    assert entries[0]["field"] == {"network": "192.0.2.0/24"}
    assert entries[3]["field"] == {"network": "2001:db8:1:100::/56"}
    assert entries[7]["field"] == {"network": "127.0.0.0/24"}


def test_new_keys_are_capped_by_address(nginx, app):
    server = nginx(http=HTTP.replace("integrity:4m", "integrity:4m new_keys=3")
                   + """
        set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;
        integrity_field   account $http_x_account;
        integrity_counter calls   key=account window=1h;
        integrity_rule    any     "calls > 1000" then=deny;
    """, server=SERVER, APP=app)
    for number in range(5):
        assert send(server, "/", [(b"X-Account", b"a%d" % number)]) == 200
    assert send(server, "/", [(b"X-Account", b"a0")]) == 200
    assert send(server, "/", [(b"X-Account", b"a9"),
                              (b"X-Real-IP", b"192.0.2.1")]) == 200
    seen = [(entry["counter"]["calls"], entry.decision.get("new_keys"))
            for entry in ledger(server)]
    if len({entry["time"][:16] for entry in server.audit_lines("decision")
            }) == 1:        # the cap is of a minute
        assert [value and round(value) for value, _ in seen] == [
            1, 1, 1, None, None, 2, 1]
        assert [capped for _, capped in seen] == [
            None, None, None, True, True, None, None]


# One field, several lines


def test_the_first_line_that_matches_decides_alone(nginx, app):
    server = nginx(http=HTTP + """
        integrity_field who $http_x_seller on=shop.*;
        integrity_field who $http_x_buyer  on=order.*,shop.open;
        integrity_field who json:/who;
        integrity_rule  any true score=1;
    """, server="""
        integrity on; integrity_action $arg_action;
        location / { proxy_pass http://%%APP%%; }
    """, APP=app)
    headers = [(b"X-Seller", b"seller"), (b"X-Buyer", b"buyer")]
    for action in ("shop.open", "order.create", "other.action"):
        for chosen in (headers, []):
            assert send(server, f"/?action={action}", chosen,
                        b'{"who":"body"}') == 200
    assert fields(server) == [{"who": "seller"}, {}, {"who": "buyer"}, {},
                              {"who": "body"}, {"who": "body"}]


def test_the_same_key_in_three_ways(nginx, app):
    server = nginx(http=HTTP + """
        integrity_field   id   json:/id;
        integrity_counter seen key=id window=1h exact count=attempts;
        integrity_rule    any  "seen > 1000" then=deny;
    """, server=SERVER, APP=app)
    bodies = [b'{"id":42}', b'{"id":42.0}', b'{"id":"42"}', b'{"id":4.2e1}',
              b'{"id":"42.0"}', b'{"id":true}', b'{"id":"true"}',
              b'{"id":12345678901234567}', b'{"id":"12345678901234567"}',
              b'{"id":12345678901234568}', b'{"id":-0.0}', b'{"id":0}']
    for body in bodies:
        assert send(server, "/", body=body) == 200
    assert [entry["counter"]["seen"] for entry in ledger(server)] == [
        1, 2, 3, 4, 1, 1, 2, 1, 2, 1, 1, 2]


def test_a_set_counts_for_each_member(nginx, app):
    server = nginx(http=HTTP + """
        integrity_field   sku  json:/items/*/sku;
        integrity_counter sold key=sku window=1h exact count=attempts;
        integrity_rule    any  "sold > 2" then=hold;
    """, server=SERVER, APP=app)
    for skus in (["a", "b"], ["b", "c"], ["b"], ["a", "a", "d"], []):
        body = json.dumps({"items": [{"sku": sku} for sku in skus]}).encode()
        assert send(server, "/", body=body) == 200
    assert [(entry["counter"].get("sold"), entry["decision"])
            for entry in ledger(server)] == [
        (1, "allow"), (2, "allow"), (3, "hold"), (2, "allow"),
        (None, "allow")]


# What only the answer brings


COMPLETED = HTTP + """
    integrity_field   account $http_x_account;
    integrity_field   order   $upstream_http_x_order;
    integrity_field   took    $upstream_status;
    integrity_counter done    key=account window=1h exact count=completed;
    integrity_counter orders  key=account,order window=1h exact
                              count=completed;
    integrity_counter created key=account window=1h exact count=completed
                              "if=took == 201";
    integrity_rule    any     "done > 1000 || created > 1000" then=deny;
"""


def test_completed_counters(nginx, app):
    server = nginx(http=COMPLETED, server=SERVER + """
        root %%DIR%%/root;
        proxy_intercept_errors on;
        error_page 500 =200 /page;
        location = /page { internal; integrity off; return 200 page; }
        location /moved { proxy_pass http://%%APP%%; }
        location /static { return 200 static; }
        location /inside { internal; alias %%SECRET%%; }
    """, APP=app)
    account = [(b"X-Account", b"ann")]
    answers = [(201, {"X-Order": "o1"}), (200, {}), (204, {}), (301, {}),
               (404, {}), (500, {}), (201, {})]
    for status, headers in answers:
        app.answer_once(status, headers)
        assert send(server, "/", account) == (200 if status == 500
                                              else status)
    app.answer_once(200, {"X-Accel-Redirect": "/none"})
    send(server, "/", account)
    app.answer_once(abort=True)
    assert send(server, "/", account) == 502
    assert send(server, "/", account) == 200
    seen = [(entry["counter"]["done"], entry["counter"]["created"])
            for entry in ledger(server)]
    # 201, 200, 204 | 301, 404, 500 | 201 | the redirect's own 200 | 502
    assert seen == [(0, 0), (1, 1), (2, 1), (3, 1), (3, 1), (3, 1), (3, 1),
                    (4, 2), (5, 2), (5, 2)]


def test_a_client_that_left_after_the_answer_is_counted(nginx, app):
    app.answer(200, delay=0.4)
    server = nginx(http=COMPLETED, server=SERVER, APP=app)
    data = head("POST", "/", [("X-Account", "ann"), ("Content-Length", 0)])
    with server.connect() as sock:
        sock.sendall(data)
    server.wait_audit(1, "outcome")
    with server.connect() as sock:
        sock.sendall(data)
        assert Answers(sock).next().status == 200
    with server.connect() as sock:
        sock.sendall(data)
        assert Answers(sock).next().status == 200
    entries = ledger(server)
    assert entries[0].outcome["status"] == 499
    assert [entry["counter"]["done"] for entry in entries] == [0, 0, 1]
