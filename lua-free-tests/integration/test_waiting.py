"""Clients that leave, and redirects that happen, while the store is asked."""

from harness import senders
from harness.fake_redis import serve
from harness.ledger import POLICY, aborted, ledger, told
from harness.settings import wait_until
from test_bodies import FIELDS, REVIEW
from test_http2 import H2, HEADERS, connect


def test_post_action_of_a_client_that_left_while_we_waited(
        nginx, app, redis, fake_redis):
    # Root cause: nginx ran the phases for post_action, and the answer of the
    # store then ran them a second time for the same request.
    slow = fake_redis([serve()], upstream=redis())
    app.answer(delay=1.0, path="/after")
    server = nginx(
        http=POLICY + "integrity_redis unix:%%REDIS%% timeout=1s;",
        server="""
            location / { integrity on; integrity_action review.create;
                         proxy_pass http://%%APP%%; post_action /after; }
            location = /after { proxy_pass http://%%APP%%/after; }
        """, APP=app, REDIS=slow.path)
    # connected: it has asked since when Redis remembers the counters
    wait_until(lambda: "GET" in slow.names())
    slow.delay = 0.3
    sock = server.connect()
    sock.sendall(senders.post_request("/", b"", {"X-Account": "ann"}))
    wait_until(lambda: "ZADD" in slow.names())
    senders.reset(sock)
    wait_until(lambda: app.of("/after"))
    server.wait_audit(1, "outcome")
    assert [entry[:3] for entry in told(server)] == [
        ("review.create", "ann", 1)]
    assert [call.path for call in app.requests] == ["/after"]


def test_a_stream_given_up_while_the_store_is_asked(nginx, app, redis,
                                                    fake_redis):
    slow = fake_redis([serve()], upstream=redis())
    server = nginx(http=FIELDS + "integrity_redis unix:%%REDIS%% timeout=2s;",
                   server=H2, APP=app, REDIS=slow.path)
    with connect(server) as h2:
        assert h2.request("POST", "/memory", HEADERS, REVIEW).status == 200
        slow.delay = 0.3
        asked = slow.names().count("ZADD")
        streams = [h2.send("POST", "/memory", HEADERS, REVIEW)
                   for _ in range(3)]
        wait_until(lambda: slow.names().count("ZADD") > asked)
        h2.cancel(streams[1])
        assert [h2.wait(stream).status for stream in streams[::2]] == [200] * 2
    assert len(ledger(server)) == 3
    assert len(aborted(server)) == 1
    assert len(app.requests) == 3
