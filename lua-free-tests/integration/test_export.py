"""`integrityctl export`: decisions with their outcomes, for other tools."""

import csv
import io
import json

import jsonschema
import pytest

from desk_place import call, shop
from harness.desk import ctl, lines
from harness.settings import SCHEMA

OCSF = jsonschema.Draft202012Validator(
    json.loads((SCHEMA / "ocsf" / "api_activity.json").read_text()))

# The captions of the ids that are written, from the schema's dictionary.
CAPTIONS = {
    "activity": {1: "Create", 2: "Read", 3: "Update", 4: "Delete",
                 99: "Other"},
    "severity": {1: "Informational", 2: "Low", 3: "Medium"},
    "action": {1: "Allowed", 2: "Denied", 3: "Observed"},
    "disposition": {1: "Allowed", 2: "Blocked", 15: "Detected",
                    18: "Tagged"},
    "status": {0: "Unknown", 1: "Success", 2: "Failure"},
}


@pytest.fixture
def server(nginx, app):
    """Allow, hold, throttle, deny, a place in dry run, an odd call."""
    shop_server = shop(nginx, app)
    for rating in (4, 5, 5, 5):
        call(shop_server, account="ann", merchant=f"m-{rating}",
             rating=rating, network="192.0.2.1")
    call(shop_server, account="eve", rating=1)
    call(shop_server, account="eve", action="order.update")
    call(shop_server, path="/dry", account="bob", merchant="m-1", rating=5)
    call(shop_server, path="/dry", account="bob", merchant="m-2", rating=5)
    call(shop_server, account="=1+2", merchant='a "b",c', rating=3)
    shop_server.wait_audit(9, kind="outcome")
    return shop_server


def test_ocsf_is_what_the_schema_requires(server):
    events = lines("export", "--format", "ocsf", server.audit_path)
    decisions = server.audit_lines("decision")
    assert len(events) == len(decisions) == 9
    for event, line in zip(events, decisions):
        assert list(OCSF.iter_errors(event)) == []
        assert event["type_uid"] == event["class_uid"] * 100 \
            + event["activity_id"]
        assert event["type_name"] == f"API Activity: {event['activity_name']}"
        for name, captions in CAPTIONS.items():
            caption = event["activity_name" if name == "activity" else name]
            assert caption == captions[event[f"{name}_id"]]
        assert event["metadata"]["uid"] == line["event"]
        assert event["metadata"]["sequence"] == line["seq"]
        assert event["actor"] == {"user": {"uid": line["field"]["account"]}}
        assert event["unmapped"]["rule"] == line["rule"]
        assert event["unmapped"]["decision"] == line["decision"]
    controls = [(line["decision"], event["action_id"],
                 event["disposition_id"], event["status_code"])
                for event, line in zip(events, decisions)]
    assert controls == [
        ("allow", 1, 1, "200"), ("hold", 1, 18, "200"),
        ("hold", 1, 18, "200"), ("throttle", 2, 2, "429"),
        ("allow", 1, 1, "200"), ("deny", 2, 2, "403"),
        ("allow", 1, 1, "200"), ("allow", 3, 15, "200"),
        ("allow", 1, 1, "200")]
    assert [event["activity_id"] for event in events[4:6]] == [1, 3]
    assert events[0]["src_endpoint"] == {
        "uid": decisions[0]["field"]["network"]}
    assert events[4]["src_endpoint"] == {"name": "unknown"}
    assert events[3]["status_id"] == 2 and events[3]["is_alert"] is True


def test_the_schema_sees_what_is_wrong(server):
    event = lines("export", "--format", "ocsf", server.audit_path)[0]
    for name in OCSF.schema["required"]:
        assert not OCSF.is_valid({key: value for key, value in event.items()
                                  if key != name})
    for change in ({"class_uid": 6002}, {"disposition_id": 40},
                   {"actor": {}}, {"surprise": 1}, {"time": 1},
                   {"metadata": {**event["metadata"], "profiles": []}}):
        assert not OCSF.is_valid({**event, **change})


def test_actor_and_source_by_name(server):
    events = lines("export", "--format=ocsf", "--actor", "merchant",
                   "--source", "account", "--rule", "praise",
                   server.audit_path)
    decisions = [line for line in server.audit_lines("decision")
                 if "praise" in str(line["rule"])]
    assert [event["actor"]["user"]["uid"] for event in events] == [
        line["field"]["merchant"] for line in decisions]
    assert [event["src_endpoint"]["uid"] for event in events] == [
        line["field"]["account"] for line in decisions]


def table(*arguments):
    code, out, err = ctl("export", "--format", "csv", *arguments)
    assert (code, err) == (0, "")
    # every line of RFC 4180 ends so
    assert out.endswith("\r\n") and out.count("\n") == out.count("\r\n")
    return list(csv.DictReader(io.StringIO(out, newline="")))


def test_csv(server):
    rows = table(server.audit_path)
    decisions = server.audit_lines("decision")
    outcomes = {line["event"]: line for line in server.audit_lines("outcome")}
    for row, line in zip(rows, decisions):
        outcome = outcomes[line["event"]]
        assert row["time"] == line["time"] and row["event"] == line["event"]
        assert row["decision"] == line["decision"]
        assert row["would"] == line.get("would", line["decision"])
        assert row["score"] == str(line["score"])
        assert row["status"] == str(outcome["status"])
        assert row["upstream"] == str(outcome.get("upstream", ""))
        assert row["duration_ms"] == str(outcome["duration_ms"])
        assert json.loads(row["field"]) == line["field"]
        assert json.loads(row["counter"]) == line["counter"]
        assert row["rules"] == " ".join(
            rule["name"] + ("(dry_run)" if rule.get("dry_run") else "")
            for rule in line["rule"])
        assert row["lists"] == " ".join(line.get("list", []))
        assert row["chain"] == line["chain"] and row["seq"] == str(line["seq"])


def test_csv_columns_and_formulas(server, folder):
    options = ["--column", "field.merchant", "--column=field.rating",
               "--column", "counter.reviews_1h"]
    rows = table(*options, server.audit_path)
    assert "field" not in rows[0]
    assert rows[-1]["field.merchant"] == 'a "b",c'
    assert rows[-1]["field.rating"] == "3"
    assert rows[3]["counter.reviews_1h"] == "4"
    assert rows[4]["field.merchant"] == ""
    # what a client wrote must not be computed by a spreadsheet
    # nor move the cursor of a terminal
    for value, shown in (("=1+2", "'=1+2"), ("+1", "'+1"), ("-1", "'-1"),
                         ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"),
                         ('a"\x1b[2J\tb', 'a"\\x1b[2J\tb'),
                         ("a\u202eb", "a\\xe2\\x80\\xaeb"),
                         ("\x9b2J", "\\xc2\\x9b2J"), ("店 é", "店 é")):
        line = dict(server.audit_lines("decision")[0], action="a.b")
        line["field"] = {"merchant": value}
        path = folder / "one.log"
        path.write_text(json.dumps(line) + "\n")
        (row,) = table(*options, path)
        assert row["field.merchant"] == shown


def test_an_outcome_that_never_comes(server, folder):
    path = folder / "part.log"
    path.write_text("".join(
        line + "\n" for line in server.audit_path.read_text().splitlines()
        if '"kind":"outcome"' not in line))
    events = lines("export", "--format", "ocsf", path)
    assert len(events) == 9
    for event in events:
        assert list(OCSF.iter_errors(event)) == []
        assert event["status_id"] == 0 and "http_response" not in event


@pytest.mark.parametrize("arguments, code, said", [
    (["x"], 2, "no format"),
    (["--format", "xml", "x"], 2, '"xml" is neither ocsf nor csv'),
    (["--format", "csv"], 2, "no file"),
    (["--format", "csv", "--column", "account", "x"], 2,
     "neither field.NAME nor counter.NAME"),
    (["--format", "csv", "/no/such"], 2, "No such file"),
    (["--format", "ocsf", "/dev/null"], 1, ""),
])
def test_errors(arguments, code, said):
    status, out, err = ctl("export", *arguments)
    assert (status, out) == (code, "") and said in err
