"""Bodies: the same one is decided the same way however it comes; one that
cannot be inspected gets the configured answer and an event that says why."""

import gzip
import json

import pytest

from harness import senders
from harness.answer import Answers
from harness.both_stores import nginx  # noqa: F401
from harness.ledger import POLICY, aborted, ledger
from harness.senders import chunked, head, pieces, send_slowly

FIELDS = POLICY + """
    integrity_field  rating   json:/rating;
    integrity_field  merchant json:/merchant_id private;
    integrity_field  content  json:/content text;
    integrity_field  sku      json:/items/*/sku;
    integrity_counter by_sku  key=sku window=1h exact count=attempts;
    integrity_rule   scathing "rating < 2" then=hold;
"""

REVIEW = json.dumps({
    "rating": 1, "merchant_id": "m-42", "items": [{"sku": "a"}, {"sku": 7}],
    "content": "très bien \u4f60\u597d \"quoted\" " + "x" * 3000,
}, ensure_ascii=False).encode()

JSON = ("Content-Type", "application/json")
ACCOUNT = ("X-Account", "ann")


# One body, many ways


FORMS = """
    client_header_buffer_size 1k;
    integrity on; integrity_action review.create;

    location /memory { proxy_pass http://%%APP%%; }
    location /temp   { client_body_buffer_size 1k;
                       proxy_pass http://%%APP%%; }
    location /file   { client_body_in_file_only clean;
                       proxy_pass http://%%APP%%; }
    location /single { client_body_in_single_buffer on;
                       proxy_pass http://%%APP%%; }
    location /stream { proxy_request_buffering off;
                       proxy_pass http://%%APP%%; }
    location /mirror { mirror /copy; proxy_pass http://%%APP%%; }
    location = /copy { internal; proxy_pass http://%%APP%%/copy; }
"""

PLACES = ("/memory", "/temp", "/file", "/single", "/stream", "/mirror")


def with_length(path, *extra):
    return head("POST", path, [JSON, ACCOUNT, *extra,
                               ("Content-Length", len(REVIEW))])


def with_chunks(path):
    return head("POST", path, [JSON, ACCOUNT,
                               ("Transfer-Encoding", "chunked")])


def in_http_1_0(path):
    return with_length(path).replace(b"HTTP/1.1", b"HTTP/1.0")


WAYS = {
    "in one segment": lambda path: [with_length(path) + REVIEW],
    "after the head": lambda path: [with_length(path), REVIEW],
    "begun with the head": lambda path: [with_length(path) + REVIEW[:100],
                                         *pieces(REVIEW[100:], 900)],
    "byte by byte": lambda path: [with_length(path), *pieces(REVIEW, 1)],
    "chunked": lambda path: [with_chunks(path)
                             + b"".join(chunked(REVIEW, 1024))],
    "chunked byte by byte": lambda path: [with_chunks(path),
                                          *chunked(REVIEW, 1)],
    "chunks cut anywhere": lambda path: pieces(
        with_chunks(path) + b"".join(chunked(REVIEW, 13)), 7),
    "HTTP/1.0": lambda path: [in_http_1_0(path), REVIEW],
}


def same(server, app, count):
    """Every call was decided like the first; the bodies arrived whole."""
    entries = ledger(server)
    assert len(entries) == count
    first = entries[0]
    assert (first["decision"], first["field"]["rating"]) == ("hold", 1)
    assert first["field"]["sku"] == ["a", 7]
    assert first["field"]["content"].startswith("t:")
    for number, entry in enumerate(entries, 1):
        assert entry["field"] == first["field"]
        assert entry["counter"] == {"calls": number, "by_sku": number}
        assert entry["rule"] == first["rule"]
        assert "body" not in entry.decision
    calls = [call for call in app.requests if call.path != "/copy"]
    assert len(calls) == count
    assert {call.body for call in app.requests} == {REVIEW}


@pytest.mark.parametrize("place", PLACES)
def test_one_body_many_ways(nginx, app, place):
    server = nginx(http=FIELDS, server=FORMS, APP=app)
    for way in WAYS.values():
        with server.connect() as sock:
            send_slowly(sock, way(place))
            assert Answers(sock).next().status == 200
    same(server, app, len(WAYS))


def test_slow_bodies(nginx, app):
    server = nginx(http=FIELDS, server=FORMS, APP=app)
    for place in PLACES[:2]:
        assert senders.post_slowly(server, place, REVIEW, dict([ACCOUNT]),
                                   size=500, pause=0.02).status == 200
        assert senders.post_chunked(server, place, REVIEW, dict([ACCOUNT]),
                                    size=500, pause=0.02).status == 200
    same(server, app, 4)


def test_expect_continue(nginx, app):
    server = nginx(http=FIELDS, server=FORMS, APP=app)
    with server.connect() as sock:
        sock.sendall(with_length("/memory", ("Expect", "100-continue")))
        assert sock.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        sock.sendall(REVIEW)
        answers = Answers(sock)
        assert answers.next().status == 200
        sock.sendall(with_length("/temp") + REVIEW)
        assert answers.next().status == 200
    same(server, app, 2)


def test_pipelined_requests(nginx, app):
    server = nginx(http=FIELDS, server=FORMS, APP=app)
    with server.connect() as sock:
        sock.sendall(b"".join(
            part for place in PLACES[:5]
            for part in WAYS["chunked" if place == "/file" else
                             "in one segment"](place)))
        answers = Answers(sock)
        assert [answers.next().status for _ in range(5)] == [200] * 5
    same(server, app, 5)


# Bodies that are in order, and what is seen of them


def nested(depth):
    return b"[" * depth + b"]" * depth


def many(values):
    """An array of so many values, itself included."""
    return b"[" + b",".join([b"0"] * (values - 1)) + b"]"


def skus(count):
    return json.dumps({"items": [{"sku": number}
                                 for number in range(count)]}).encode()


INSPECTED = [
    ([], b"", {}),
    ([JSON], b"", {}),
    ([JSON], b" \r\n\t ", {}),
    ([JSON], b"[]", {}), ([JSON], b"1", {}), ([JSON], b"null", {}),
    ([JSON], b'"rating"', {}), ([JSON], b'[{"rating":5}]', {}),
    ([JSON], b"{}", {}),
    ([JSON], b'{"rating":null,"items":null,"content":""}', {}),
    ([JSON], b'{"rating":4.5}', {"rating": 4.5}),
    ([JSON], b'\n{"rating":"5"}\n', {"rating": "5"}),
    ([JSON], b'{"r\\u0061ting":false}', {"rating": False}),
    ([JSON], b'{"Rating":1,"rating ":2}', {}),
    ([JSON], b'{"rating":"a\\u0000b"}', {"rating": "a\0b"}),
    ([JSON], b'{"items":[{"sku":"a"},{},{"sku":"a"}]}', {"sku": "a"}),
    ([JSON], b'{"items":[]}', {}),
    ([JSON], nested(32), {}),
    ([JSON], many(1000), {}),
    ([JSON], b'{"rating":3,"x":"' + b"y" * (4096 - 19) + b'"}', {"rating": 3}),
    ([JSON], skus(64), {"sku": list(range(64))}),
    ([JSON, ("Content-Encoding", "identity")], b'{"rating":3}',
     {"rating": 3}),
    ([JSON, ("Content_Type", "text/plain"), ("X-Content-Type", "text/plain")],
     b'{"rating":3}', {"rating": 3}),
] + [([("Content-Type", kind)], b'{"rating":3}', {"rating": 3}) for kind in (
    "Application/JSON", "application/json;charset=UTF-8",
    'application/json ; charset="utf-8"', "application/vnd.x.v1+json",
    "application/problem+JSON; version=1", "image/svg+json",
    "application/json;", "application/json; a=b; charset=utf-8; c=d",
)]

LIMITS = """
    integrity_action review.create;
    integrity_body   max=4k depth=32 values=1000 invalid=%(what)s
                     oversize=%(what)s encoded=%(what)s type=%(what)s;
"""


def test_bodies_in_order(nginx, app):
    server = nginx(http=FIELDS, server="integrity on;" + LIMITS
                   % {"what": "deny"} + """
        location / { proxy_pass http://%%APP%%; }
    """, APP=app)
    with server.connect() as sock:
        answers = Answers(sock)
        for headers, body, _ in INSPECTED:
            sock.sendall(head("POST", "/", [
                *headers, ("Content-Length", len(body))]) + body)
            answer = answers.next()
            assert answer.status == 200, (headers, body[:100], answer)
            sock.sendall(head("POST", "/", [
                *headers, ("Transfer-Encoding", "chunked")])
                + b"".join(chunked(body, 1000)))
            answer = answers.next()
            assert answer.status == 200, (headers, body[:100], answer)
    entries = ledger(server)
    for place in (0, 1):
        assert [entry["field"] for entry in entries[place::2]] == [
            fields for *_, fields in INSPECTED]
    assert not [entry for entry in entries if "body" in entry.decision]
    assert [call.body for call in app.requests[::2]] == [
        body for _, body, _ in INSPECTED]


# Bodies that cannot be inspected


def typed(kind):
    return [("Content-Type", kind)]


TYPE = "not json in utf-8"

REFUSED = [
    (415, "has a content encoding", [JSON, ("Content-Encoding", coding)],
     gzip.compress(b"{}")) for coding in ("gzip", "identity, gzip", "x", "BR")
] + [
    (415, "has a content encoding",
     [JSON, ("Content-Encoding", "identity"), ("content-encoding", "gzip")],
     b"{}"),
    (415, "several content types", [JSON, JSON], b"{}"),
    (415, "several content types", [JSON, ("content-type", "text/plain")],
     b"{}"),
    (415, "several content types", [("Content-Type", ""), JSON], b"{}"),
    (415, TYPE, [], b"{}"),
] + [
    (415, TYPE, typed(kind), b"{}") for kind in (
        "", ";", "text/json", "application/jsonp", "application/json5",
        "application/json-seq", "application/x-ndjson", "text/plain",
        "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "json", "+json", "/x+json", "application/+json", "application/json/x",
        "application/json x", "application / json",
        "application/json, text/plain", "text/plain, application/x+json",
        "application/x/y+json",
        "application/json; charset=utf-16", "application/json;charset=latin1",
        "application/json; charset=", 'application/json; charset="utf-16"',
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset =utf-16",
        "application/json; charset= utf-16",
        'application/json; charset="utf-8;x=utf-16"',
        "application/json; a=b;charset=utf-7",
        "application/vnd.x+json; CHARSET=UTF-32",
    )
] + [
    (400, "invalid json", [JSON], body) for body in (
        b'{"rating":5,"rating":1}', b'{"rating":5,"r\\u0061ting":1}',
        b'{"a":{"b":1,"b":2}}', b"\xef\xbb\xbf{}", b"{} {}", b"{}x", b"{",
        b"}", b'{"a":1,}', b"{'a':1}", b'{"a":01}', b'{"a":+1}',
        b'{"a":NaN}', b'{"a":Infinity}', b'{"a":0x1}', b'{"a":1}//',
        b'{"a":"\n"}', b'{"a":"\0"}', b"{}\0", b"\0", b'"\xff"',
        b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\\ud800"', b'"\\udc00\\ud800"',
        b'{"rating":99999999999999999999}', b'{"rating":1e999}', b"tru",
        b"[1 2]", '{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-32-le"),
    )
] + [
    (400, "unexpected type", [JSON], body) for body in (
        b'{"rating":{}}', b'{"rating":[1]}', b'{"items":{"sku":1}}',
        b'{"items":"a"}', b'{"items":[{"sku":[]}]}', b'{"merchant_id":{}}',
        b'{"rating":5,"content":["x"]}',
    )
] + [
    (413, "too deep", [JSON], nested(33)),
    (413, "too deep", [JSON], b"[" * 4000),
    (413, "too many values", [JSON], many(1001)),
    (413, "too many elements", [JSON], skus(65)),
    (413, "larger than max=", [JSON], b" " * 4097),
    (413, "larger than max=", [JSON], b'{"x":"' + b"y" * 200000 + b'"}'),
]


def ask_both(server, place, headers, body):
    """The body with a length and in chunks, each followed by a call that is
    in order, all on one connection; the statuses."""
    good = head("POST", place, [JSON, ("Content-Length", 12),
                                ("X-Account", "next")]) + b'{"rating":3}'
    with server.connect() as sock:
        answers = Answers(sock)
        seen = []
        for framing, data in (
                (("Content-Length", len(body)), body),
                (("Transfer-Encoding", "chunked"),
                 b"".join(chunked(body, 30000)))):
            for request in (head("POST", place, [*headers, framing, ACCOUNT])
                            + data, good):
                sock.sendall(request)
                seen.append(answers.next())
    return seen


def problem_of(seen, status, headers, body):
    """What is wrong with the four answers of ask_both, or None."""
    statuses = [answer.status for answer in seen]
    if statuses != [status, 200, status, 200]:
        return headers, body[:60], statuses
    if status == 200:
        return None
    for answer in (seen[0], seen[2]):
        if answer.headers.get("content-type") != "application/problem+json" \
                or answer.json()["status"] != status:
            return headers, body[:60], answer
    return None


@pytest.mark.parametrize("what", ["deny", "pass"])
def test_bodies_not_inspected(nginx, app, what):
    server = nginx(http=FIELDS, server="integrity on;" + LIMITS
                   % {"what": what} + """
        location / { proxy_pass http://%%APP%%; }
    """, APP=app)
    problems = [
        problem_of(ask_both(server, "/", headers, body),
                   status if what == "deny" else 200, headers, body)
        for status, _, headers, body in REFUSED]
    assert [problem for problem in problems if problem] == []
    entries = [entry for entry in ledger(server) if entry.account == "ann"]
    wrong = [(reason, headers, body[:60], entry.decision)
             for (_, reason, headers, body), pair in zip(
                 REFUSED, zip(entries[::2], entries[1::2]), strict=True)
             for entry in pair if entry.decision.get("body") != reason]
    assert wrong == []
    if what == "deny":
        assert {(entry["decision"], entry["evaluation"])
                for entry in entries} == {("deny", "skipped")}
        assert len(app.requests) == 2 * len(REFUSED)
        return
    assert {(entry["decision"], entry["evaluation"])
            for entry in entries} == {("allow", "complete")}
    assert {json.dumps(entry["field"]) for entry in entries} == {
        json.dumps({"account": "ann", "rating": None, "merchant": None,
                    "content": None, "sku": None})}
    assert [entry.calls for entry in entries] == list(
        range(1, 2 * len(REFUSED) + 1))
    assert [call.body for call in app.requests
            if call.headers["x-account"] == "ann"] == [
                body for *_, body in REFUSED for _ in range(2)]


def test_each_kind_has_its_own_switch(nginx, app):
    kinds = {"invalid": 400, "oversize": 413, "encoded": 415, "type": 415}
    samples = {"invalid": ([JSON], b"{"), "oversize": ([JSON], nested(40)),
               "encoded": ([JSON, ("Content-Encoding", "gzip")], b"{}"),
               "type": (typed("text/plain"), b"{}")}
    server = nginx(http=FIELDS, server="integrity on;"
                   "integrity_action review.create;" + "".join(
                       f"location /{kind} {{ integrity_body {kind}=pass;"
                       f" proxy_pass http://%%APP%%; }}"
                       for kind in kinds), APP=app)
    seen = {(place, kind): ask_both(server, f"/{place}", *samples[kind])[0]
            .status for place in kinds for kind in kinds}
    assert seen == {(place, kind): 200 if place == kind else kinds[kind]
                    for place in kinds for kind in kinds}


def test_a_refused_call_counts_nothing_in_dry_run_either(nginx, app):
    # Root cause: a body refused in dry run, which passes, was seen as allowed
    # by the counters of completed calls.
    server = nginx(http=POLICY.replace("count=attempts", "count=completed")
                   + "integrity_field rating json:/rating;", server="""
        integrity_action review.create;
        location /dry { integrity dry_run; proxy_pass http://%%APP%%; }
        location /on  { integrity on; proxy_pass http://%%APP%%; }
    """, APP=app)
    for path, body in (("/dry", b"{"), ("/dry", b"{}"), ("/on", b"{}")):
        assert server.raw(senders.post_request(path, body, dict([ACCOUNT]))
                          ).status == 200
    entries = ledger(server)
    assert [entry.calls for entry in entries] == [None, 0, 1]
    assert (entries[0]["decision"], entries[0]["would"]) == ("allow", "deny")


# What nginx itself refuses, and clients that leave


def test_nginx_own_limit_comes_first(nginx, app):
    server = nginx(http=FIELDS, server="""
        integrity on; integrity_action review.create;
        client_max_body_size 1k;
        integrity_body max=16k;
        location / { proxy_pass http://%%APP%%; }
    """, APP=app)
    for request in ("in one segment", "chunked", "chunked byte by byte"):
        with server.connect() as sock:
            try:
                send_slowly(sock, WAYS[request]("/"))
            except ConnectionError:
                pass
            answer = Answers(sock).next()
            assert answer.status == 413
            assert answer.headers["content-type"] == "text/html"
    assert ledger(server) == []
    assert app.requests == []
    assert {line["status"] for line in aborted(server)} == {413}


def test_smuggled_lengths_are_refused(nginx, app):
    server = nginx(http=FIELDS, server=FORMS, APP=app)
    both = head("POST", "/memory", [
        JSON, ("Content-Length", 3), ("Transfer-Encoding", "chunked")])
    assert server.raw(both + b"0\r\n\r\n").status == 400
    twice = head("POST", "/memory", [JSON, ("Content-Length", 2),
                                     ("Content-Length", 3)])
    assert server.raw(twice + b"{}}").status == 400
    assert server.raw(head("POST", "/memory", [
        JSON, ("Transfer-Encoding", "gzip, chunked")])).status == 501
    assert ledger(server) == []


def test_truncated_bodies(nginx, app):
    server = nginx(http=FIELDS, server=FORMS, APP=app)
    cut = [with_length("/memory") + REVIEW[:100],
           with_length("/temp") + REVIEW[:2000],
           with_chunks("/memory") + b"".join(chunked(REVIEW, 500))[:900],
           with_chunks("/temp")]
    for number, data in enumerate(cut):
        with server.connect() as sock:
            sock.sendall(data)
            if number % 2:
                senders.reset(sock)
    server.wait_audit(len(cut), "outcome")
    assert ledger(server) == []
    assert len(aborted(server)) == len(cut)
    assert app.requests == []


def test_a_body_is_read_only_where_it_is_wanted(nginx, app):
    server = nginx(http=POLICY + """
        integrity_field rating json:/rating on=review.create;
    """, server="""
        integrity on;
        location /review { integrity_action review.create;
                           proxy_pass http://%%APP%%; }
        location /order  { integrity_action order.create;
                           proxy_pass http://%%APP%%; }
        location /get    { integrity_action review.create GET DELETE;
                           proxy_pass http://%%APP%%; }
    """, APP=app)
    junk = senders.post_request("/order", b"{" * 100000,
                                {"Content-Type": "text/plain"})
    assert server.raw(junk).status == 200
    assert server.raw(junk.replace(b"/order", b"/review")).status == 413
    assert server.get("/get").status_code == 200
    assert server.raw(senders.post_request("/get", b"{").replace(
        b"POST", b"DELETE")).status == 400
    assert [(entry["action"], entry["decision"]) for entry in ledger(server)
            ] == [("order.create", "allow"), ("review.create", "deny"),
                  ("review.create", "allow"), ("review.create", "deny")]


def test_error_page_for_a_refused_body(nginx, app):
    server = nginx(http=FIELDS, server="""
        root %%DIR%%/root;
        integrity on; integrity_action review.create;
        integrity_body max=1k;
        error_page 400 =422 /page;
        error_page 413 @large;
        location / { proxy_pass http://%%APP%%; }
        location = /page { internal; }
        location @large { return 413 "large\\n"; }
    """, APP=app)
    (server.dir / "root").mkdir()
    (server.dir / "root" / "page").write_text("page")
    answer = server.raw(senders.post_request("/", b"{"))
    assert (answer.status, answer.body) == (422, b"page")
    for data in (senders.post_request("/", REVIEW),
                 with_chunks("/") + b"".join(chunked(REVIEW, 500))):
        answer = server.raw(data)
        assert (answer.status, answer.body) == (413, b"large\n")
    assert [entry.outcome["status"] for entry in ledger(server)] == [
        422, 413, 413]
