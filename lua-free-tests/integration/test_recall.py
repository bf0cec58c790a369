"""`integrityctl recall`: what to take back where a rule has fired."""

import json
import re

import pytest

from desk_place import call, shop
from harness.desk import ctl, lines

MORE = """
    integrity_counter praise_2s on=review.create key=merchant window=2s exact
                                "if=rating >= 5";
    integrity_counter bought    on=order.create key=account window=1d last
                                warmup=0;
    integrity_rule    burst     "praise_2s >= 3 && !has(bought)"
                                on=review.create score=5;
"""


def recall(server, *arguments, code=0):
    return lines("recall", "--json", *arguments, *server.audit_paths(),
                 code=code)


def test_the_accepted_events_of_the_key(nginx, app):
    server = shop(nginx, app)
    call(server, account="ann", merchant="m-1", rating=3)
    call(server, account="bob", merchant="m-1", rating=3)
    call(server, action="order.create", account="ann")
    for merchant in ("m-1", "m-1", "m-1", "m-1"):
        call(server, account="ann", merchant=merchant, rating=4)
    server.wait_audit(7, kind="outcome")
    events = server.audit_lines("decision")
    assert [event["decision"] for event in events] == (
        ["allow"] * 5 + ["throttle"] * 2)
    key = ("account=ann", "--secret", server.secret_path)
    found = recall(server, "too_fast", *key)
    wanted = [events[0], events[3], events[4]]
    assert [line["event"] for line in found] == [e["event"] for e in wanted]
    for line, event in zip(found, wanted):
        assert line == {
            "event": event["event"], "request": event["request"],
            "time": event["time"], "action": "review.create",
            "decision": "allow", "status": 200, "field": event["field"],
            "rule": "too_fast", "fired": events[5]["event"], "itself": False}

    # nothing of bob's, nothing before the rule fired, no other rule
    code, out, err = ctl("recall", "too_fast", "account=bob", "-c",
                         server.conf_path, server.audit_path)
    assert (code, out) == (1, "") and "did not fire for this key" in err
    code, out, err = ctl("recall", "too_fast", "account=ann",
                         server.audit_path)
    assert (code, out) == (1, "") and "--secret FILE" in err
    code, out, err = ctl("recall", "too_fast", *key, "--until",
                         events[4]["time"], server.audit_path)
    assert code == 1 and "did not fire" in err
    # in dry run it says so on demand
    assert ctl("recall", "candidate", *key, server.audit_path)[0] == 1
    found = recall(server, "candidate", "--dry-run", *key)
    assert [line["itself"] for line in found] == [False, True, True]

    code, out, err = ctl("recall", "too_fast", *key, server.audit_path)
    assert (code, err) == (0, "") and len(out.splitlines()) == 3
    assert re.match(rf"{events[0]['time']}  {events[0]['event']}  allow  200  "
                    "review.create  request=", out)


def test_windows_conditions_and_the_event_itself(nginx, app):
    server = shop(nginx, app, policy=MORE)

    def praise(account, rating):
        call(server, account=account, merchant="m-9", rating=rating)

    praise("a1", 5)
    praise("a2", 4)         # not counted
    praise("a3", 5)
    praise("a4", 5)         # the rule fires, and the call is accepted
    server.wait_audit(4, kind="outcome")
    events = server.audit_lines("decision")
    assert "burst" in [rule["name"] for rule in events[3]["rule"]]
    found = recall(server, "burst", "merchant=m-9")
    assert [line["event"] for line in found] == [
        events[0]["event"], events[2]["event"], events[3]["event"]]
    assert [line["itself"] for line in found] == [False, False, True]

    # a log of which an event is older than the window
    part = server.dir / "part.log"
    old = json.dumps({**events[0], "time": "2020-01-01T00:00:00.000Z"})
    policy = next(line for line in server.audit_path.read_text().splitlines()
                  if '"kind":"policy"' in line)
    rest = [json.dumps(event) for event in events[1:]]
    part.write_text("\n".join([policy, old, *rest]) + "\n")
    found = lines("recall", "--json", "burst", "merchant=m-9", part)
    assert [line["event"] for line in found] == [
        events[2]["event"], events[3]["event"]]

    # without the policy's text
    part.write_text("\n".join(rest) + "\n")
    code, out, err = ctl("recall", "burst", "merchant=m-9", part)
    assert code == 0 and len(out.splitlines()) == 1
    assert "its windows are not known" in err
    found = lines("recall", "--json", "burst", "merchant=m-9", part,
                  "--window", "2s")
    assert len(found) == 3

    # a key that the counter is not kept by
    code, out, err = ctl("recall", "burst", "account=a4", "-c",
                         server.conf_path, server.audit_path)
    assert code == 0 and len(out.splitlines()) == 1
    assert "praise_2s is kept by merchant, which is not in the key" in err


@pytest.mark.parametrize("arguments, said", [
    ([], "no rule"),
    (["a-b", "x=1", "f"], '"a-b" is no name of a rule'),
    (["fast", "f"], "no key: FIELD=VALUE"),
    (["fast", "x=1"], "no file"),
    (["fast", "x=1", "/no/such"], "No such file"),
    (["fast", "x=1", "f", "--window", "long"], "is no duration"),
])
def test_errors(arguments, said):
    code, out, err = ctl("recall", *arguments)
    assert (code, out) == (2, "") and said in err
    assert "did not fire" not in err
