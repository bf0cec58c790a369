"""Variables: in log formats and headers, and the verdict the application
goes by."""

import base64
import hashlib
import hmac
import re
import subprocess
import time

import pytest

from harness.answer import Answers
from harness.ledger import POLICY, ledger
from harness.senders import post_request
from harness.settings import CTL

FIELDS = POLICY + """
    integrity_field  mail     json:/mail private;
    integrity_field  content  json:/content text;
    integrity_field  item     json:/items/*;
    integrity_field  rating   json:/rating;
    integrity_counter mean    key=account window=1h mean=rating;
    integrity_rule   scored   "rating == 7 && or(mean, 0) >= 0" score=25;
    integrity_rule   less     "rating == 8" score=-3;
"""

NAMES = ("decision", "score", "rules", "action", "event_id", "verdict",
         "field_account", "field_mail", "field_content", "field_item",
         "field_rating", "counter_calls", "counter_mean")

LOG = """
    log_format vars '%s';
""" % "|".join("$integrity_" + name for name in NAMES)

LOCATION = """
    access_log %%DIR%%/vars.log vars;
    proxy_set_header X-Integrity $integrity_verdict;
    proxy_set_header X-Event     $integrity_event_id;
    location / {
        integrity on; integrity_action review.create;
        proxy_pass http://%%APP%%;
    }
    location /off { proxy_pass http://%%APP%%; }
    location /unknown { integrity on; integrity_action $arg_none;
                        proxy_pass http://%%APP%%; }
"""


def post(server, path="/", account="ann", **body):
    return server.post(path, json=body, headers={
        "X-Account": account, "X-Integrity": "allow;forged"})


def logged(server, count):
    server.quit()
    lines = (server.dir / "vars.log").read_text().splitlines()
    assert len(lines) == count
    return [dict(zip(NAMES, line.split("|"), strict=True)) for line in lines]


def test_values_in_a_log_format(nginx, app):
    server = nginx(http=FIELDS + LOG, server=LOCATION, APP=app)
    post(server, mail="a@example.org", content="hello", items=["x", "y"],
         rating=7)
    post(server, items=["x"], rating=8)
    post(server, account="bad")
    post(server, "/off")
    post(server, "/unknown")
    lines = logged(server, 5)
    entries = ledger(server)
    first = lines[0]
    assert (first["decision"], first["score"], first["rules"],
            first["action"]) == ("allow", "25", "scored", "review.create")
    for line, entry in zip(lines, entries):
        assert line["event_id"] == entry["event"]
        assert line["counter_calls"] == str(entry.calls)
        assert line["decision"] == entry["decision"]
        for name in ("mail", "content", "rating"):
            assert line["field_" + name] == str(
                entry["field"].get(name, "-")), name
    assert re.fullmatch(r"p:k1:[\w-]{22}", first["field_mail"])
    assert first["field_content"].startswith("t:5:")
    assert (first["field_item"], lines[1]["field_item"]) == ("-", "x")
    assert (first["counter_mean"], lines[1]["counter_mean"]) == ("-", "7")
    assert (lines[1]["score"], lines[1]["rules"]) == ("-3", "less")
    assert (lines[2]["decision"], lines[2]["rules"]) == ("deny", "banned")
    assert lines[3] == lines[4] == dict.fromkeys(NAMES, "-")


def verdict_key(server):
    done = subprocess.run([CTL, "keys", "verdict", server.secret_path],
                          capture_output=True, text=True, check=True)
    name, _, key = done.stdout.strip().partition(":")
    assert name == "k1"
    return base64.b64decode(key)


def checked(verdict, key):
    """The parts of a verdict whose signature is right."""
    text, _, signature = verdict.rpartition(";sig=")
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()[:16]
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == signature
    decision, *pairs = text.split(";")
    return {"decision": decision, **dict(pair.split("=") for pair in pairs)}


def test_the_verdict_is_signed(nginx, app):
    server = nginx(http=FIELDS, server=LOCATION.replace(
        "access_log %%DIR%%/vars.log vars;", ""), APP=app)
    key = verdict_key(server)
    for account, rating in (("ann", 7), ("odd", 8)):
        assert post(server, account=account, rating=rating).status_code == 200
    entries = ledger(server)
    for call, entry, decision, score in zip(
            app.requests, entries, ("allow", "hold"), ("25", "-3")):
        verdict = checked(call.headers["x-integrity"], key)
        assert abs(int(verdict.pop("t")) - time.time()) < 60
        assert verdict == {"decision": decision, "action": "review.create",
                           "method": "POST", "score": score,
                           "id": entry["event"]}
        assert call.headers["x-event"] == entry["event"]
        forged = call.headers["x-integrity"].replace(decision, "deny", 1)
        with pytest.raises(AssertionError):
            checked(forged, key)


def test_what_a_client_sent_never_reaches_the_application(nginx, app):
    server = nginx(http=FIELDS, server=LOCATION.replace(
        "access_log %%DIR%%/vars.log vars;", ""), APP=app)
    key = verdict_key(server)
    forged = {"X-Account": "ann", "X-Integrity": "deny;a=b"}
    raw = post_request("/off", b"{}", forged)
    with server.connect() as sock:
        answers = Answers(sock)
        for path in (b"/off", b"/unknown", b"/"):
            sock.sendall(raw.replace(b"/off", path, 1)
                         .replace(b"X-Integrity", b"x-InteGrity: x\r\n"
                                  b"X-Integrity"))
            assert answers.next().status == 200
        sock.sendall(raw.replace(b"POST /off", b"GET /"))
        assert answers.next().status == 200
    seen = [[value for name, value in call.raw_headers
             if name.lower() == "x-integrity"] for call in app.requests]
    assert [len(values) for values in seen] == [0, 0, 1, 0]
    assert checked(seen[2][0], key)["decision"] == "allow"


def test_variables_asked_too_early_are_right_later(nginx, app):
    # Evaluated before the decision, in the subrequest of auth_request say,
    # they are empty; that must not stay in nginx's cache of values.
    server = nginx(http=FIELDS + LOG + """
        map $integrity_decision $early { default ""; deny yes; }
        limit_req_zone $integrity_field_account zone=z:1m rate=1000r/s;
    """, server=LOCATION + """
        limit_req zone=z burst=100 nodelay;
        set $copy "$integrity_decision$integrity_counter_calls";
        if ($early) { return 500; }
        auth_request /auth;
        location = /auth { internal; proxy_pass http://%%APP%%/auth;
                           proxy_pass_request_body off;
                           proxy_set_header Content-Length "";
                           proxy_set_header X-All
    """ + '"' + "".join("$integrity_" + name for name in NAMES) + '"; }',
                   APP=app)
    assert post(server, rating=3).status_code == 200
    assert post(server, account="bad").status_code == 403
    first, second = logged(server, 2)
    one, two = ledger(server)
    assert (first["decision"], first["event_id"], first["field_rating"],
            first["counter_calls"]) == ("allow", one["event"], "3", "1")
    assert (second["decision"], second["event_id"]) == ("deny", two["event"])
    assert first["field_account"] == "ann"
    assert [call.headers.get("x-all") for call in app.of("/auth")] == [
        None, None]
