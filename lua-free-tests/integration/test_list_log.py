"""`integrityctl list show LIST --log`: a list as the audit log tells it."""

import json

import pytest

from desk_place import call, shop
from harness.chain import Chain
from harness.desk import ctl
from harness.settings import wait_until

MORE = """
    integrity_field   items json:/items/*/sku on=review.create;
    integrity_list    goods key=items;
    integrity_list    shield key=merchant;
    integrity_rule    goods "rating == 2" on=review.create add=goods:1h;
    integrity_rule    shield "rating == 3" on=review.create
                      add=shield:2s renew;
"""


def change(server, op, name, key, **options):
    words = [f"--{option}={value}" for option, value in options.items()]
    code, out, err = ctl("list", op, name, key, "--reason", "why", "--by",
                         "ada", "--socket",
                         f"unix:{server.dir}/control.sock", *words)
    assert (code, err) == (0, "")
    return json.loads(out)


def entries(server, name, *options, code=0):
    status, out, err = ctl("list", "show", name, "--json", *options, "--log",
                           *server.audit_paths())
    assert status == code
    assert err == "" if code == 0 else "by these files no key" in err
    whole = json.loads(out)
    assert whole["list"] == name and whole["untold"] == 0
    return whole["entries"]


def test_what_people_and_rules_did(nginx, app):
    server = shop(nginx, app, policy=MORE)
    assert entries(server, "banned", code=1) == []
    ann = change(server, "add", "banned", "account=ann", **{"for": "2h"})
    bob = change(server, "add", "banned", "account=bob", **{"for": "1h"})
    call(server, account="eve", rating=1)           # the rule ring
    assert call(server, account="eve", rating=1) == 403
    server.wait_audit(2)
    lines = server.audit_lines("list")
    ring = server.audit_lines("decision")[0]

    shown = entries(server, "banned")
    assert [entry["key"] for entry in shown] == [
        {"account": lines[0]["field"]["account"]},
        {"account": lines[1]["field"]["account"]},
        {"account": ring["field"]["account"]}]
    assert shown[0] == {
        "key": shown[0]["key"], "state": "on", "since": lines[0]["time"],
        "until": ann["until"], "by": "ada", "reason": "why",
        "event": ann["event"]}
    assert shown[2]["rule"] == "ring" and "by" not in shown[2]
    assert shown[2]["event"] == ring["event"]
    assert shown[2]["since"] == ring["time"]

    # longer, and off
    longer = change(server, "add", "banned", "account=ann", **{"for": "9h"})
    change(server, "remove", "banned", "account=bob")
    shown = entries(server, "banned")
    assert len(shown) == 2
    assert shown[0]["until"] == longer["until"]
    assert shown[0]["since"] == lines[0]["time"]
    off = entries(server, "banned", "--all")[1]
    assert (off["state"], off["key"]) == (
        "off", {"account": lines[1]["field"]["account"]})
    assert off["off"] == server.audit_lines("list")[-1]["time"]
    # as it was before that
    assert len(entries(server, "banned", "--at", bob["until"])) == 2
    then = entries(server, "banned", "--at", lines[1]["time"])
    assert [entry["until"] for entry in then] == [ann["until"], bob["until"]]

    code, out, err = ctl("list", "show", "banned", "--log", server.audit_path)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == (
        f"account={lines[0]['field']['account']}  since {lines[0]['time']}"
        f"  until {longer['until']}  by ada  because: why")
    assert "  by rule ring\n" in out


def test_sets_and_entries_that_end(nginx, app):
    server = shop(nginx, app, policy=MORE)
    body = {"items": [{"sku": "s-1"}, {"sku": 42}]}
    assert server.post("/", json=body, headers={
        "X-Action": "review.create", "X-Rating": "2"}).status_code == 200
    call(server, merchant="m-1", rating=3)
    server.wait_audit(2)
    assert [entry["key"] for entry in entries(server, "goods")] == [
        {"items": "s-1"}, {"items": "42"}]
    (first,) = entries(server, "shield")
    # renewed while it holds: one entry, a later end
    call(server, merchant="m-1", rating=3)
    server.wait_audit(3)
    (second,) = entries(server, "shield")
    assert second["since"] == first["since"]
    assert second["until"] > first["until"]
    wait_until(lambda: ctl("list", "show", "shield", "--log",
                           server.audit_path)[0] == 1,
               what="the entry to end")
    (ended,) = entries(server, "shield", "--all")
    assert ended["state"] == "ended"


def test_the_log_does_not_tell_all(nginx, app):
    server = shop(nginx, app)
    change(server, "add", "banned", "account=ann", **{"for": "2h"})
    assert call(server, account="ann") == 403
    server.wait_audit(1)
    part = server.dir / "part.log"
    raw = server.audit_path.read_text().splitlines(keepends=True)
    part.write_text("".join(line for line in raw
                            if '"kind":"list"' not in line))
    code, out, err = ctl("list", "show", "banned", "--log", part)
    assert (code, err) == (0, "")
    assert "seen on it" in out and "who put it there is not in" in out
    part.write_text("".join(line for line in raw
                            if '"kind":"decision"' in line))
    code, out, err = ctl("list", "show", "banned", "--log", part)
    assert (code, out) == (1, "")
    assert "of 1 line the key could not be told" in err
    assert 'by these files no key is on the list "banned"' in err
    code, out, err = ctl("list", "show", "baned", "--all", "--log", part)
    assert (code, out) == (1, "")
    assert 'by these files no key ever was on the list "baned"' in err


def test_a_change_the_store_did_not_do(folder):
    chain = Chain()
    change = {"event": "01KARZ3NDEKTSV4RRFFQ69G5FA", "op": "add",
              "name": "banned", "until": "2099-01-01T00:00:00.000Z",
              "reason": "why", "by": "ada", "field": {"account": "ann"},
              "policy": "0" * 16, "tenant": "t"}
    path = folder / "audit.log"
    path.write_bytes(chain.line("list", **change)
                     + chain.line("list", **change, failed=True))
    code, out, err = ctl("list", "show", "banned", "--log", path)
    assert (code, err) == (0, "")
    assert "account=ann  tenant t" in out and "not certain" in out


@pytest.mark.parametrize("arguments, said", [
    (["show", "--log", "/dev/null"], "no list"),
    (["show", "a-b", "--log", "/dev/null"], "is no name of a list"),
    (["show", "a", "--log"], "--log needs a value"),
    (["show", "a", "--log", "/dev/null", "--at", "never"], "is no time"),
    (["show", "a", "--log", "/no/such"], "No such file"),
])
def test_errors(arguments, said):
    code, out, err = ctl("list", *arguments)
    assert code == 2 and said in err
