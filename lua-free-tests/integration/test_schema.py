"""The schema of audit lines: strict, and in words that no database takes."""

import json
import re

import jsonschema
import pytest

from harness.chain import ZERO, Chain
from harness.settings import SCHEMA

# Reserved by PostgreSQL, SQLite or DuckDB: as a column, it would need quotes.
RESERVED = set("""
    all analyse analyze and any array as asc asymmetric authorization between
    binary both case cast check collate collation column commit concurrently
    constraint create cross current_date current_role current_time
    current_timestamp current_user default deferrable delete desc describe
    distinct do drop else end except exists false fetch for foreign freeze
    from full grant group having ilike in index initially inner insert
    intersect into is isnull join lateral leading left like limit localtime
    localtimestamp natural not notnull null offset on only or order outer
    overlaps pivot placing primary qualify references returning right select
    session_user set show similar some summarize symmetric table tablesample
    then to trailing transaction true union unique unpivot update user using
    values variadic verbose when where window with
""".split())

KINDS = {"decision", "key", "list", "load", "outcome", "repeat", "unclassified",
         "policy", "chain_open", "chain_close", "segment_end", "segment_start"}


def schemas():
    return {path.stem: json.loads(path.read_text())
            for path in SCHEMA.glob("*.json")}


def objects(schema):
    """Every part of a schema that describes an object, and its keys."""
    if isinstance(schema, list):
        for item in schema:
            yield from objects(item)
    elif isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects(value)


def test_every_kind_has_its_schema():
    assert set(schemas()) == KINDS
    for kind, schema in schemas().items():
        validator = jsonschema.validators.validator_for(schema)
        assert validator is jsonschema.Draft202012Validator
        validator.check_schema(schema)
        assert schema["properties"]["kind"] == {"const": kind}
        assert schema["properties"]["v"] == {"const": 1}


def test_every_object_is_strict():
    for schema in schemas().values():
        for part in objects(schema):
            # named keys alone, or names of the policy's own
            assert part["additionalProperties"] is False \
                or "propertyNames" in part


def test_every_key_is_a_plain_word():
    for schema in schemas().values():
        for part in objects(schema):
            for key in part.get("properties", {}):
                assert re.fullmatch(r"[a-z][a-z0-9_]*", key)
                assert key not in RESERVED


def decision():
    """A line with everything in it."""
    return json.loads(Chain().line(
        "decision", event="01KARZ3NDEKTSV4RRFFQ69G5FA", action="a.b",
        decision="hold", mode="enforce", score=60, would="deny",
        would_score=90, evaluation="complete", method="POST", path="/v1/",
        request="4e1d", node="edge-1", tenant="t", body="too deep",
        new_keys=True,
        field={"account": "p:k1:9m2Q", "rating": 4.5, "gift": True,
               "lost": None, "sku": ["a", 7]},
        counter={"account_1h": 12.5, "mean": None},
        rule=[{"name": "fast", "decision": "throttle", "score": -3,
               "dry_run": True, "on_error": True,
               "threshold": {"per_hour": 10}}],
        policy="0" * 16, cut=True))


def accepts(line):
    return jsonschema.Draft202012Validator(schemas()["decision"]) \
        .is_valid(line)


@pytest.mark.parametrize("change", [
    {"decision": "block"}, {"mode": "off"}, {"event": "not a ulid"},
    {"score": 1.5}, {"time": "2026-11-23 12:00:00"}, {"action": "A B"},
    {"would": None}, {"repeat": 1}, {"new_keys": False}, {"seq": 0},
    {"hash": ZERO[1:]}, {"prev": "Z" * 64}, {"chain": "edge-1"},
    {"field": {"a b": 1}}, {"field": {"a": {}}}, {"field": {"a": "x" * 257}},
    {"counter": {"a": "1"}}, {"rule": [{"decision": "deny"}]},
    {"rule": [{"name": "a", "then": "deny"}]},
    {"rule": [{"name": "a", "threshold": {}}]}, {"surprise": 1},
    {"mode": "dry_run"},
])
def test_a_wrong_line_is_refused(change):
    assert accepts(decision())
    assert not accepts({**decision(), **change})


def test_a_line_lacks_nothing():
    for key in ("v", "kind", "time", "event", "action", "decision", "mode",
                "score", "evaluation", "field", "counter", "rule", "policy",
                "chain", "seq", "prev", "hash"):
        line = decision()
        del line[key]
        assert not accepts(line)
