"""What a refused client is told, and what state its connection is left in."""

import re

import pytest

from harness import senders
from harness.answer import Answers
from harness.h2client import H2Connection
from harness.ledger import POLICY, ledger

RULES = POLICY + """
    integrity_threshold secret_limit 777;
    integrity_rule secret_rule "calls > secret_limit" score=60;
    integrity_scores throttle=60;
"""

CACHED = """
    integrity_zone    integrity:4m;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account $http_x_account;
    integrity_field   rating  json:/rating;
    integrity_counter hits    key=account window=1h;
    integrity_rule    over    "hits > 1" then=throttle;
"""

SERVER = """
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_2%% http2;
    integrity on; integrity_action order.create POST GET HEAD PUT;
    location / { proxy_pass http://%%APP%%; }
"""


def check(answer, status, title):
    """An answer that says what it must and nothing else."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body == {"type": "about:blank", "title": title, "status": status,
                    "event": body["event"]}
    assert int(answer.headers["content-length"]) == len(answer.body)
    # an event's id may hold any of these by chance
    told = repr(answer).replace(body["event"], "").lower()
    for word in ("banned", "hasty", "secret", "777", "calls", "score"):
        assert word not in told
    return body["event"]


def ask(server, account="bad", method="POST", path="/"):
    data = senders.head(method, path, {"X-Account": account,
                                       "Content-Length": 0})
    return server.raw(data, method)


def test_deny_and_throttle(nginx, app):
    server = nginx(http=RULES, server=SERVER, APP=app)
    answers = [ask(server), ask(server, "hasty")]
    events = [check(answers[0], 403, "Forbidden"),
              check(answers[1], 429, "Too Many Requests")]
    assert "retry-after" not in answers[0].headers
    retry = [int(ask(server, "hasty").headers["retry-after"])
             for _ in range(12)]
    assert all(60 <= seconds <= 90 for seconds in retry)
    assert len(set(retry)) > 1
    assert [entry["event"] for entry in ledger(server)][:2] == events


def test_other_methods_and_protocols(nginx, app):
    server = nginx(http=RULES, server=SERVER, APP=app)
    for method in ("GET", "PUT"):
        check(ask(server, method=method), 403, "Forbidden")
    answer = ask(server, method="HEAD")
    assert (answer.status, answer.body) == (403, b"")
    assert answer.headers["content-type"] == "application/problem+json"
    old = senders.head("POST", "/", {"X-Account": "bad", "Content-Length": 0})
    check(server.raw(old.replace(b"HTTP/1.1", b"HTTP/1.0")), 403, "Forbidden")
    with H2Connection(server, server.ports["PORT_2"]) as h2:
        for method in ("POST", "GET", "HEAD"):
            answer = h2.request(method, "/", {"x-account": "bad"})
            if method == "HEAD":
                assert (answer.status, answer.body) == (403, b"")
            else:
                check(answer, 403, "Forbidden")
        assert h2.request("POST", "/", {"x-account": "ann"}).status == 200
    assert len(ledger(server)) == 8


@pytest.mark.parametrize("status, title", [
    (400, "Bad Request"), (413, "Content Too Large"), (444, None),
    (499, "Request refused"), (451, "Request refused"),
    (500, "Request refused"), (503, "Service Unavailable"),
    (599, "Request refused"),
])
def test_other_statuses(nginx, app, status, title):
    server = nginx(http=RULES + f"integrity_status_deny {status};",
                   server=SERVER, APP=app)
    if title is None:       # as nginx's own `return 444`
        with pytest.raises(ConnectionError):
            ask(server)
    else:
        check(ask(server), status, title)
    assert ask(server, "ann").status == 200
    assert [entry.outcome["status"] for entry in ledger(server)] == [status,
                                                                     200]


def test_headers_of_the_configuration_stay(nginx, app):
    server = nginx(http=RULES + "server_tokens off;", server=SERVER + """
        add_header X-Event $integrity_event_id always;
        add_header X-Decision $integrity_decision;
        charset utf-8; gzip on; gzip_min_length 1;
        gzip_types application/problem+json;
    """, APP=app)
    answer = ask(server)
    assert answer.headers["x-event"] == check(answer, 403, "Forbidden")
    assert "x-decision" not in answer.headers
    answer = ask(server, "ann")
    assert answer.headers["x-decision"] == "allow"
    packed = server.post("/", headers={"X-Account": "bad"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["status"] == 403


# The connection after a refusal


BIG = b'{"rating":5,"x":"' + b"y" * 300000 + b'"}'


@pytest.mark.parametrize("path", ["/", "/body"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_refused_call_leaves_its_connection_in_order(nginx, app, path,
                                                       chunked):
    server = nginx(http=RULES + "integrity_field rating json:/rating"
                   " on=order.update;", server=SERVER + """
        location /body { integrity_action order.update;
                         integrity_body max=1m;
                         proxy_pass http://%%APP%%; }
    """, APP=app)
    fields = [("Content-Type", "application/json"), ("X-Account", "bad")]
    if chunked:
        refused = senders.head("POST", path, [
            *fields, ("Transfer-Encoding", "chunked")]) \
            + b"".join(senders.chunked(BIG, 10000))
    else:
        refused = senders.head("POST", path, [
            *fields, ("Content-Length", len(BIG))]) + BIG
    fine = senders.post_request(path, b'{"rating":3}', {"X-Account": "ann"})
    with server.connect() as sock:
        answers = Answers(sock)
        for _ in range(3):
            sock.sendall(refused)
            check(answers.next(), 403, "Forbidden")
            sock.sendall(fine)
            assert answers.next().status == 200
        sock.sendall(fine + fine.replace(b"ann", b"bad") + fine)
        assert [answers.next().status for _ in range(3)] == [200, 403, 200]
    assert {call.body for call in app.requests} == {b'{"rating":3}'}
    assert len(ledger(server)) == 9


def test_a_cached_refusal_reads_no_body(nginx, app):
    server = nginx(http=CACHED, server=SERVER, APP=app)
    begun = senders.head("POST", "/", [
        ("Content-Type", "application/json"), ("X-Account", "ann"),
        ("Content-Length", len(BIG))])
    fine = senders.post_request("/", b"{}", {"X-Account": "eve"})
    with server.connect() as sock:
        answers = Answers(sock)
        for status in (200, 429):
            sock.sendall(fine.replace(b"eve", b"ann"))
            assert answers.next().status == status
        sock.sendall(begun)
        event = check(answers.next(), 429, "Too Many Requests")
        sock.sendall(BIG + fine)
        assert answers.next().status == 200
        sock.sendall(begun.replace(b"Content-Length: %d" % len(BIG),
                                   b"Expect: 100-continue\r\n"
                                   b"Content-Length: %d" % len(BIG)) + BIG)
        assert check(answers.next(), 429, "Too Many Requests") == event
        sock.sendall(fine.replace(b"eve", b"joe"))
        assert answers.next().status == 200
    server.quit()
    lines = server.audit_lines("decision")
    assert [line["evaluation"] for line in lines] == [
        "complete", "complete", "cached", "complete", "complete"]
    assert [line["count"] for line in server.audit_lines("repeat")
            if line["event"] == event] == [1]


def test_a_client_that_never_sends_its_body(nginx, app):
    server = nginx(http=CACHED, server=SERVER + """
        lingering_timeout 300ms; lingering_time 1s;
    """, APP=app)
    fine = senders.post_request("/", b"{}", {"X-Account": "ann"})
    assert [server.raw(fine).status for _ in range(2)] == [200, 429]
    with server.connect() as sock:
        sock.sendall(fine.replace(b"Content-Length: 2",
                                  b"Content-Length: 200"))
        assert Answers(sock).next().status == 429
        assert sock.recv(1) == b""
    server.declare(quit_limit=5)


# Refusals that are nobody's fault


def test_store_down_and_deny(nginx, app, redis):
    store = redis()
    server = nginx(http=RULES + "integrity_redis %%REDIS%% timeout=50ms"
                   " on_error=deny;", server=SERVER, APP=app, REDIS=store)
    assert ask(server, "ann").status == 200
    store.stop()
    answer = ask(server, "ann")
    event = check(answer, 503, "Service Unavailable")
    server.quit()
    (line,) = [line for line in server.audit_lines("decision")
               if line["event"] == event]
    assert (line["decision"], line["evaluation"]) == ("deny", "degraded")
    assert not re.search(r"\[(alert|crit)\]", server.error_log)
