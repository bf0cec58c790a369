"""The guards are guarded: every oracle is seen to fail, and to stay quiet."""

import json
import stat

import pytest

from harness import oracles

QUIET = """\
2026/01/01 00:00:00 [notice] 1#1: start worker processes
2026/01/01 00:00:00 [notice] 1#1: worker process 2 exited with code 0
2026/01/01 00:00:00 [error] 2#2: *1 connect() failed (111: refused)
2026/01/01 00:00:00 [crit] 2#2: *1 connect() to unix:/x failed (2: missing)
"""


@pytest.mark.parametrize("line", [
    "2026/01/01 00:00:00 [alert] 1#1: *3 open socket #9 left in connection 4",
    "2026/01/01 00:00:00 [emerg] 1#1: bind() to 127.0.0.1:80 failed",
    "2026/01/01 00:00:00 [notice] 1#1: worker process 7 exited on signal 11",
    "2026/01/01 00:00:00 [notice] 1#1: worker process 7 exited with code 1",
    "2026/01/01 00:00:00 [alert] 1#1: worker process 7 exited with fatal "
    "code 2 and cannot be respawned",
])
def test_error_log(line):
    assert oracles.error_log_problems(QUIET) == []
    assert oracles.error_log_problems(QUIET + line + "\n") == [
        "error log: " + line]
    assert oracles.error_log_problems(QUIET + line, ["exited", "socket",
                                                     "bind"]) == []
    assert oracles.error_log_problems(QUIET + line, ["unrelated"]) != []


@pytest.mark.parametrize("line", [
    "module/core/ig_x.c:3:5: runtime error: signed integer overflow",
    "==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x6",
    "==12==ERROR: LeakSanitizer: detected memory leaks",
])
def test_sanitizer(line):
    assert oracles.sanitizer_problems(QUIET) == []
    assert len(oracles.sanitizer_problems(QUIET + line)) == 1


def test_quit():
    assert oracles.quit_problems(0.1, 0) == []
    assert oracles.quit_problems(6.0, 0) != []
    assert oracles.quit_problems(6.0, 0, limit=7.0) == []
    assert oracles.quit_problems(0.1, 1) != []
    assert oracles.quit_problems(0.1, -11) != []


def test_leftovers():
    assert oracles.leftover_problems([]) == []
    assert oracles.leftover_problems([7], lambda pid: "nginx") == [
        "left running: 7 nginx"]


@pytest.fixture
def schema(tmp_path):
    folder = tmp_path / "schema"
    folder.mkdir()
    (folder / "event.json").write_text(json.dumps({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object", "required": ["v", "kind"],
        "properties": {"v": {"const": 1}, "kind": {"type": "string"}}}))
    return folder


@pytest.mark.parametrize("bad", [
    b'{"v":2,"kind":"decision"}', b'{"v":1}', b"[]", b'{"v":1,"ki', b"junk",
])
def test_schema(schema, bad):
    good = b'{"v":1,"kind":"decision"}\n'
    assert oracles.schema_problems(good * 3, schema) == []
    problems = oracles.schema_problems(good + bad + b"\n" + good, schema)
    assert len(problems) == 1
    assert problems[0].startswith("audit line 2:")


def test_schema_of_its_own_kind(schema):
    (schema / "outcome.json").write_text('{"required": ["status"]}')
    line = b'{"v":1,"kind":"outcome"}\n'
    assert len(oracles.schema_problems(line, schema)) == 1


def test_no_schema_is_no_pass(tmp_path):
    assert oracles.schema_problems(b"{}\n", tmp_path) != []
    assert oracles.schema_problems(b"", tmp_path) == []


def fake_ctl(path, status, said=""):
    path.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit {status}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_verify(tmp_path):
    log = tmp_path / "audit.log"
    clean = fake_ctl(tmp_path / "clean", 0)
    tampered = fake_ctl(tmp_path / "tampered", 3, "line 2: hash")
    dirty = fake_ctl(tmp_path / "dirty", 0, "LeakSanitizer: detected")
    assert oracles.verify_problems([log], ctl=clean) == []
    assert "line 2: hash" in oracles.verify_problems([log], ctl=tampered)[0]
    assert oracles.verify_problems([log], (3,), ctl=tampered) == []
    assert oracles.verify_problems([log], (3,), ctl=clean) != []
    assert oracles.verify_problems([log], ctl=dirty) != []
    assert oracles.verify_problems([], ctl=tampered) == []
    assert oracles.verify_problems([log], ctl=tmp_path / "missing") != []
