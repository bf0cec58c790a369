"""`integrityctl explain`: the story of one event in sentences."""

import json
import re

import pytest

from desk_place import call, shop
from harness.desk import ctl
from harness.settings import wait_until
from packs_place import RULES, SOURCES, fields
from test_lists import store  # noqa: F401


def told(server, event, *options):
    """The story as one line of words."""
    code, out, err = ctl("explain", *options, event, *server.audit_paths())
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 110
    return re.sub(r"\s+", " ", out)


def decisions(server, count):
    """The decisions, with their outcomes written."""
    server.wait_audit(count, kind="outcome")
    return server.audit_lines("decision")


def test_a_throttled_call(nginx, app):
    server = shop(nginx, app)
    assert [call(server, account="ann", merchant="m-1", rating=3)
            for _ in range(4)] == [200, 200, 200, 429]
    event = decisions(server, 4)[3]
    story = told(server, event["event"])
    assert f"On {event['time']} a call of the action review.create" in story
    assert "It was throttled: refused for now" in story
    assert "rules that are in dry run been enforced, it would have been " \
        "denied" in story
    assert f"account: {event['field']['account']} (a pseudonym)" in story
    assert ("reviews_1h: 4 - calls of review.create with the same account "
            "within 1 hour, this one included") in story
    assert ("merchants: 1 - different values of merchant in calls of "
            "review.create with the same account within 1 day") in story
    assert ("The rule too_fast demands throttle. It says: reviews_1h > "
            "per_hour. Here reviews_1h was 4, the threshold per_hour was 3."
            ) in story
    assert "The rule candidate (in dry run, without effect) demands deny" \
        in story
    assert "The rule too_fast demands throttle, and nothing stronger" in story
    assert "The application was not asked; the client got status 429" in story
    assert "The evaluation was complete" in story
    assert f"Policy {event['policy']}, whose text in the log" in story
    assert event["hash"] in story and event["chain"] in story


def test_scores_and_a_place_in_dry_run(nginx, app):
    server = shop(nginx, app)
    call(server, account="ann", merchant="m-1", rating=4)
    call(server, account="ann", merchant="m-2", rating=5)
    call(server, path="/dry", account="ann", merchant="m-3", rating=5)
    events = [event["event"] for event in decisions(server, 3)]
    assert "No rule fired." in told(server, events[0])
    story = told(server, events[1])
    assert "It was held: it passed" in story
    assert ("The scores of the rules that fired add up to 60; hold begins at "
            "50.") in story
    assert "The application answered with status 200" in story
    story = told(server, events[2])
    assert "It was allowed" in story
    assert ("in dry run, where nothing takes effect. Otherwise the call would "
            "have been denied") in story


def test_how_a_key_came_onto_a_list(nginx, app, store):  # noqa: F811
    server = shop(nginx, app, policy=store)
    call(server, account="ann", rating=1)
    assert wait_until(lambda: call(server, account="ann") == 403,
                      what="the rule's ban")
    assert ctl("list", "add", "banned", "account=bob", "--for", "2h",
               "--reason", "a ring of 40", "--by", "ada", "--socket",
               f"unix:{server.dir}/control.sock")[0] == 0
    assert call(server, account="bob") == 403
    server.wait_audit(3, kind="outcome")
    events = decisions(server, 3)
    ring, bob = events[0], events[-1]
    ann = next(e for e in events if e["decision"] == "deny")
    story = told(server, ring["event"])
    assert "The rule ring put the key on a list: banned:1d." in story
    story = told(server, ann["event"])
    assert (f"was on the list banned. What the log last tells of it: put on "
            f"on {ring['time']} by the rule ring in the event "
            f"{ring['event']}, until 20") in story
    assert "It says: banned. Here the list banned had the key." in story
    story = told(server, bob["event"])
    (line,) = server.audit_lines("list")
    assert (f'on {line["time"]} by ada ("a ring of 40") in the event '
            f'{line["event"]}, until {line["until"]}') in story
    # the change itself is an event too
    story = told(server, line["event"])
    assert (f"ada put a key on the list banned: account "
            f"{line['field']['account']}, until {line['until']}.") in story
    assert "The reason given: a ring of 40" in story
    # what cannot be read twice is not
    code, out, err = ctl("explain", ann["event"], "-",
                         stdin=server.audit_path.read_bytes())
    assert (code, err) == (0, "") and "cannot be read twice" in re.sub(
        r"\s+", " ", out)


def test_what_the_public_may_know(nginx, app):
    server = shop(nginx, app)
    for _ in range(4):
        call(server, account="ann", merchant="m-1", rating=5)
    event = decisions(server, 4)[3]
    story = told(server, event["event"], "--public")
    assert "It was throttled" in story and event["event"] in story
    assert "Looked at: calls of review.create with the same account." in story
    for secret in ("too_fast", "per_hour", "candidate", "praise", "score",
                   "dry run", "p:k1", "reviews_1h", "1 hour",
                   "m-1", event["chain"]):
        assert secret not in story
    assert not re.search(r"\b[34]\b", story)
    code, out, err = ctl("explain", "--public", "--json", event["event"],
                         server.audit_path)
    assert (code, err) == (0, "")
    assert set(json.loads(out)) == {"kind", "time", "event", "action",
                                    "decision", "policy", "story"}


def test_a_line_without_an_event(nginx, app):
    server = shop(nginx, app)
    call(server, action="No Such", account="ann")
    call(server, account="ann", rating=2)
    decisions(server, 1)
    (line,) = server.wait_audit(1, kind="unclassified", timeout=65)
    story = told(server, f"{line['chain']}:{line['seq']}")
    assert "1 writing call at / named no action of the policy" in story
    assert "They passed." in story
    decision = server.audit_lines("decision")[0]
    assert told(server, f"{decision['chain']}:{decision['seq']}") \
        == told(server, decision["event"])


def test_what_cannot_be_known_is_said(nginx, app, redis):
    server = shop(nginx, app, policy=f"integrity_redis {redis()} timeout=9s;")
    call(server, account="ann", rating=2)
    event = decisions(server, 1)[0]["event"]
    raw = server.audit_path.read_text()
    path = server.dir / "part.log"

    def story(text):
        path.write_text(text)
        code, out, _ = ctl("explain", event, path)
        assert code == 0
        return re.sub(r"\s+", " ", out)

    kinds = {kind: next(line + "\n" for line in raw.splitlines()
                        if f'"kind":"{kind}"' in line)
             for kind in ("policy", "decision", "outcome")}
    assert "The policy's text is not in these files" in story(
        raw.replace(kinds["policy"], ""))
    assert "or is not the one its hash stands for" in story(
        raw.replace("reviews_1h > per_hour", "reviews_1h >= per_hour"))
    assert "How the call ended is not in these files" in story(
        raw.replace(kinds["outcome"], ""))
    assert "The decision itself is not in these files" in story(
        kinds["outcome"])
    degraded = kinds["decision"].replace('"complete"', '"degraded"').replace(
        '"reviews_1h":1', '"reviews_1h":null').replace(
        '"rule":[', '"list_unknown":["banned"],"rule":[')
    said = story(raw.replace(kinds["decision"], degraded))
    assert "The store of counters was down, late or refused" in said
    assert "reviews_1h: not known" in said
    assert "on the list banned could not be told" in said
    cached = kinds["decision"].replace('"complete"', '"cached"')
    repeat = ('{"v":1,"kind":"repeat","time":"2026-11-23T12:00:00.000Z",'
              f'"event":"{event}","count":7}}\n')
    said = story(kinds["policy"] + cached + repeat)
    assert "This record stands for 7 more calls" in said
    assert "answered from memory" in said


def test_json_has_the_story_and_the_lines(nginx, app):
    server = shop(nginx, app)
    call(server, account="ann", rating=5)
    event = decisions(server, 1)[0]
    code, out, err = ctl("explain", "--json", event["event"],
                         server.audit_path)
    assert (code, err) == (0, "") and out.endswith("}\n")
    whole = json.loads(out)
    assert [line["kind"] for line in whole["lines"]] == ["decision", "outcome"]
    assert whole["lines"][0] == event
    assert [part["section"] for part in whole["story"]] == [
        "happened", "said", "counted", "rules", "why", "outcome",
        "certainty", "record"]


@pytest.mark.parametrize("arguments, code, said", [
    (["explain"], 2, "no event"),
    (["explain", "01KARZ3NDEKTSV4RRFFQ69G5FA"], 2, "no file"),
    (["explain", "a:b", "/dev/null"], 2, "neither an event nor CHAIN:SEQ"),
    (["explain", "01KARZ3NDEKTSV4RRFFQ69G5FA", "/dev/null"], 1,
     'no line of the event "01KARZ3NDEKTSV4RRFFQ69G5FA" in /dev/null'),
    (["explain", "x", "/no/such/file"], 2, "No such file"),
])
def test_errors(arguments, code, said):
    status, out, err = ctl(*arguments)
    assert (status, out) == (code, "") and said in err


def test_the_policy_of_all_packs_is_read_back(nginx, app):
    """Every directive there is, in several parts of 8 KiB."""
    server = nginx(
        http="integrity_zone integrity:4m; integrity_secret %%SECRET%%;"
             "integrity_audit %%AUDIT%%;"
             "map $uri $sku { default 1; } map $uri $account { default 1; }"
             "integrity_scores hold=60 deny=100; integrity_time_zone +08:00;"
             + fields(*SOURCES)
             + "".join(f"include {path};\n"
                       for path in sorted(RULES.glob("*.conf"))),
        server="location / { integrity on; integrity_action $http_x_action; "
               "proxy_pass http://%%APP%%; }", APP=app)
    call(server)
    event = decisions(server, 1)[0]
    assert len(server.audit_lines("policy")) > 1
    story = told(server, event["event"])
    assert "whose text in the log has this hash" in story
    assert " - calls of " in story
