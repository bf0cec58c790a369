"""HTTP/2: the same calls are decided the same way as over HTTP/1.1."""

import pytest

from harness import senders
from harness.both_stores import nginx  # noqa: F401
from harness.h2client import H2Connection
from harness.ledger import aborted, ledger
from test_bodies import FIELDS, PLACES, REFUSED, REVIEW, same

H2 = """
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_2%% http2;
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
    location /small  { integrity_body max=4k; proxy_pass http://%%APP%%; }
    location /limit  { client_max_body_size 1k; proxy_pass http://%%APP%%; }
"""

HEADERS = {"content-type": "application/json", "x-account": "ann"}


def connect(server):
    return H2Connection(server, server.ports["PORT_2"])


@pytest.fixture
def server(nginx, app):
    return nginx(http=FIELDS, server=H2, APP=app)


@pytest.mark.parametrize("place", PLACES)
def test_one_body_in_many_frames(server, app, place):
    lengths = ({}, {"content-length": str(len(REVIEW))})
    sizes = (None, 1, 7, 1000)
    with connect(server) as h2:
        for size in sizes:
            for length in lengths:
                assert h2.request("POST", place, {**HEADERS, **length},
                                  REVIEW, size=size).status == 200
    assert server.raw(senders.post_request(
        place, REVIEW, {"X-Account": "ann"})).status == 200
    same(server, app, len(sizes) * len(lengths) + 1)


def test_streams_side_by_side(server, app):
    with connect(server) as h2:
        streams = [h2.start("POST", place, HEADERS) for place in PLACES[:5]]
        for begin in range(0, len(REVIEW), 500):
            for stream in streams:
                h2.data(stream, REVIEW[begin:begin + 500],
                        end=begin + 500 >= len(REVIEW))
        assert [h2.wait(stream).status for stream in streams] == [200] * 5
    same(server, app, 5)


def test_no_body_in_three_ways(server):
    with connect(server) as h2:
        bare = {"x-account": "ann"}
        assert h2.request("POST", "/memory", bare).status == 200
        stream = h2.start("POST", "/memory", bare)
        h2.end(stream)
        assert h2.wait(stream).status == 200
        assert h2.request("POST", "/memory", {
            **bare, "content-length": "0"}).status == 200
    assert [entry["field"] for entry in ledger(server)] == [
        {"account": "ann"}] * 3


def send(h2, headers, body, size):
    stream = h2.start("POST", "/small", headers)
    for begin in range(0, len(body), size):
        h2.data(stream, body[begin:begin + size])
    h2.end(stream)
    return h2.wait(stream)


def test_bodies_not_inspected(server, app):
    once = [(status, reason, dict(headers), body)
            for status, reason, headers, body in REFUSED
            if len({name.lower() for name, _ in headers}) == len(headers)]
    with connect(server) as h2:
        for status, reason, headers, body in once:
            for size in (300000, 1000):
                answer = send(h2, {"x-account": "ann", **headers}, body, size)
                assert answer.status == status, (headers, body[:60], answer)
                assert h2.request("POST", "/small", HEADERS,
                                  b'{"rating":3}').status == 200
    refused = [entry for entry in ledger(server)
               if entry["decision"] == "deny"]
    assert [entry["body"] for entry in refused] == [
        reason for _, reason, *_ in once for _ in range(2)]
    assert {call.body for call in app.requests} == {b'{"rating":3}'}


def test_nginx_own_limit_comes_first(server):
    with connect(server) as h2:
        for headers in (HEADERS, {**HEADERS,
                                  "content-length": str(len(REVIEW))}):
            stream = h2.start("POST", "/limit", headers)
            h2.data(stream, REVIEW[:2000])
            assert h2.wait(stream).status == 413
        assert h2.request("POST", "/limit", HEADERS,
                          b'{"rating":3}').status == 200
    (entry,) = ledger(server)
    assert entry["field"]["rating"] == 3


def test_wrong_lengths(server):
    with connect(server) as h2:
        stream = h2.start("POST", "/memory",
                          {**HEADERS, "content-length": "5"})
        h2.raw_data(stream, REVIEW)
        assert h2.wait(stream).status in (400, 413)
        stream = h2.start("POST", "/memory",
                          {**HEADERS, "content-length": "5000"})
        h2.raw_data(stream, REVIEW)
        assert h2.wait(stream).status == 400
    assert ledger(server) == []


def test_streams_that_are_given_up(server, app):
    with connect(server) as h2:
        for place in PLACES[:3]:
            stream = h2.start("POST", place, HEADERS)
            h2.data(stream, REVIEW[:2000])
            h2.cancel(stream)
        server.wait_audit(3, "outcome")
        assert h2.request("POST", "/memory", HEADERS, REVIEW).status == 200
        stream = h2.start("POST", "/memory", HEADERS)
        h2.data(stream, REVIEW[:2000])
    server.wait_audit(5, "outcome")
    same(server, app, 1)
    assert len(aborted(server)) == 4
