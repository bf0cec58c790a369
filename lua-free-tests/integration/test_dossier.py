"""`integrityctl dossier`: a key's record against a recount of the same log."""

import base64
import collections
import hashlib
import hmac
import json
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from harness.desk_log import BEGIN, DECISIONS, Story, Timed, stamp, ulid
from harness.settings import CTL


def run(*arguments):
    done = subprocess.run([CTL, "dossier", *map(str, arguments)],
                          capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def dossier(*arguments):
    code, out, err = run("--json", *arguments)
    assert (code, err) == (0, "")
    return json.loads(out)


def values(value):
    return value if isinstance(value, list) else [value]


def of(story, field, value):
    return [(moment, members, count) for moment, members, count in story.calls
            if value in map(str, values(members["field"][field]))]


@settings(max_examples=6, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 30), field=st.sampled_from(
    ("account", "device", "merchant", "product")))
def test_numbers_agree_with_a_recount(folder, seed, field):
    story = Story(seed, calls=300)
    log = story.write(folder / "audit.log")
    value = values(story.calls[seed % len(story.calls)][1]["field"][field])[0]
    calls = of(story, field, value)
    found = dossier(field, value, log)

    assert found["calls"] == sum(count for _, _, count in calls)
    assert found["first"] == stamp(calls[0][0])
    assert found["last"] == stamp(max(moment for moment, _, _ in calls))
    for word in DECISIONS:
        assert found[word] == sum(count for _, members, count in calls
                                  if members["decision"] == word)
        assert sum(one[word] for one in found["time"]["bin"]) == found[word]
    fired = collections.Counter()
    links = collections.Counter()
    for _, members, count in calls:
        for rule in members["rule"]:
            fired[rule["name"]] += count
        for other in ("account", "device", "merchant", "product"):
            if other != field:
                for name in values(members["field"][other]):
                    links[other, name] += count
    assert {row["name"]: row["calls"] for row in found["rule"]} == dict(fired)
    assert {(row["field"], row["value"]): row["calls"]
            for row in found["link"]} == dict(links)
    marked = [members["event"] for _, members, count in calls
              if (members["decision"] != "allow" or "would" in members)]
    assert found["events"] == len(dict.fromkeys(marked))
    latest = list(dict.fromkeys(reversed(
        [event for event in dict.fromkeys(marked)])))[:20]
    assert [row["event"] for row in found["event"]] == latest
    assert all(row["status"] in (201, 429) for row in found["event"])
    assert sum(found["evaluation"].values()) == found["calls"]


def test_sanctions(folder):
    """Lists: by people and by rules, until when, and taken off again."""
    chain = Timed()
    lines = [chain.open(), chain.line(
        "policy", policy="a" * 16, sha256="a" * 64, part=1, parts=1,
        text="integrity_list banned key=account;\n"
             "integrity_list shielded key=merchant;\n")]

    def change(op, until=None, **members):
        chain.moment += step
        event = ulid(chain.moment, story.chance)
        body = {"event": event, "op": op, "name": "banned"}
        if until:
            body["until"] = stamp(chain.moment + until * step)
        lines.append(chain.line(
            "list", **body, reason="case 7", by="李雷",
            field={"account": "a-1"}, policy="a" * 16, **members))
        return event

    story = Story(1, calls=1)
    step = (story.calls[0][0] - BEGIN) / (story.calls[0][0] - BEGIN).seconds
    change("add", 1000)
    change("remove")
    failed = change("add", 500)
    lines.append(chain.line(
        "list", event=failed, op="add", name="banned", reason="case 7",
        by="李雷", field={"account": "a-1"}, policy="a" * 16, failed=True))
    chain.moment += step
    lines.append(chain.line(
        "decision", event=ulid(chain.moment, story.chance),
        action="review.create", decision="deny", mode="enforce", score=0,
        evaluation="complete", method="POST", path="/", node="edge-1",
        field={"account": "a-1", "merchant": "m-1"}, counter={},
        list=["banned"], policy="a" * 16,
        rule=[{"name": "five", "decision": "deny", "add": "banned:7d"},
              {"name": "shield", "decision": "hold", "add": "shielded:1h"}]))
    lines.append(chain.line(
        "key", event=ulid(chain.moment, story.chance), op="reset",
        counter=["account_1h", "tries"], reason="appeal", by="韩梅梅",
        field={"account": "a-1"}, policy="a" * 16))
    log = folder / "audit.log"
    log.write_bytes(b"".join(lines))

    reset, *found = dossier("account", "a-1", log)["sanction"]
    assert (reset["op"], reset["counter"], reset["by"]) \
        == ("reset", "account_1h, tries", "韩梅梅")
    assert [(row["op"], row.get("rule"), row.get("by"), row["failed"])
            for row in found] == [
        ("add", "five", None, False), ("add", None, "李雷", True),
        ("remove", None, "李雷", False), ("add", None, "李雷", False)]
    assert found[3]["ended"] == found[2]["time"]
    assert "ended" not in found[0] and found[0]["sure"] is True
    assert [row["rule"] for row in
            dossier("merchant", "m-1", log)["sanction"]] == ["shield"]
    out = run("account", "a-1", log)[1]
    assert "In force when the log ends: banned until" in out
    assert "put on; the store did not do it" in out


def pseudonym(key, name, field, value):
    extracted = hmac.digest(bytes(32), key, "sha256")
    subkey = hmac.digest(extracted, b"nginx-integrity/pseudonym\x01", "sha256")
    text = b"".join(len(part).to_bytes(4, "big") + part
                    for part in (field.encode(), value.encode()))
    mac = hmac.digest(subkey, text, "sha256")[:16]
    return f"p:{name}:" + base64.urlsafe_b64encode(mac).decode().rstrip("=")


def test_a_clear_value_is_found_across_rotated_keys(folder):
    keys = {name: hashlib.sha256(name.encode()).digest()
            for name in ("k2", "k1")}
    secret = folder / "integrity.key"
    secret.write_text("".join(
        f"{name}:{base64.b64encode(key).decode()}\n"
        for name, key in keys.items()))
    secret.chmod(0o600)
    chain = Timed()
    lines = [chain.open()]
    for name in ("k1", "k1", "k2"):
        lines.append(chain.line(
            "decision", event=ulid(BEGIN, Story(1, calls=1).chance),
            action="review.create", decision="allow", mode="enforce", score=0,
            evaluation="complete", method="POST", path="/", node="edge-1",
            field={"account": pseudonym(keys[name], name, "account", "zhang")},
            counter={}, rule=[], policy="a" * 16))
    log = folder / "audit.log"
    log.write_bytes(b"".join(lines))

    found = dossier("account", "zhang", "--secret", secret, log)
    assert found["calls"] == 3 and len(found["pseudonym"]) == 2
    code, _, err = run("account", "zhang", log)
    assert code == 1 and "--secret" in err


@pytest.mark.parametrize("arguments, words", [
    ((), "expected a field, its value and a file"),
    (("account", "a-1"), "expected a field, its value and a file"),
    (("acc ount", "a-1", "x"), '"acc ount" is no name of a field'),
    (("account", "", "x"), "the value is empty"),
    (("--events", "many", "account", "a", "x"), '--events: "many"'),
    (("--events=1001", "account", "a", "x"), "up to 1000"),
    (("account", "a-1", "/nonexistent/x"), "/nonexistent/x"),
    (("account", "a-1", "--secret", "/nonexistent/k", "x"), "/nonexistent/k"),
])
def test_usage(arguments, words):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "") and words in err


def test_nothing_about_it(folder):
    story = Story(2, calls=50)
    log = story.write(folder / "audit.log")
    code, out, err = run("merchant", "m-none", log)
    assert code == 1 and "nothing about this key" in err
    assert "The log has no call with this merchant." in out
    code, out, err = run("--json", "merchant", "m-none", log)
    assert code == 1 and json.loads(out)["calls"] == 0


def test_events_and_period(folder):
    story = Story(4, calls=300)
    log = story.write(folder / "audit.log")
    assert len(dossier("merchant", "m-42", "--events", 3, log)["event"]) == 3
    out = run("merchant", "m-42", "--events=0", log)[1]
    assert "Calls that did not simply pass" not in out
    some = dossier("merchant", "m-42", "--since", "2026-11-18", "--until",
                   "2026-11-20", log)
    assert some["calls"] == sum(
        count for moment, members, count in story.calls
        if "2026-11-18" <= moment.isoformat() < "2026-11-20"
        and members["field"]["merchant"] == "m-42")
