"""The totals count what happened, above all what went wrong."""

import stat
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import run  # noqa: E402


def figures(count):
    return count.passed, count.failed, count.skipped


@pytest.mark.parametrize("said, expected", [
    ("1..2\nok 1 - one\nok 2 - two\n# ok - tests\n", (2, 0, 0)),
    ("1..2\nok 1 - one\nnot ok 2 - two\n# why\n", (1, 1, 0)),
    ("1..2\nok 1 - one\nnot ok 2 # SKIP two\n", (1, 0, 1)),
    ("1..3\nok 1 - one\n", (1, 2, 0)),
    ("1..1\nok 1 - a\n1..1\nok 1 - b\n", (2, 0, 0)),
])
def test_tap(said, expected):
    assert figures(run.tap(said)) == expected


def program(folder, script):
    path = folder / "test_x"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize("script, expected", [
    ("echo 1..1; echo 'ok 1 - a'", (1, 0, 0)),
    ("echo 1..1; echo 'ok 1 - a'; exit 99", (1, 1, 0)),
    ("echo 1..2; echo 'ok 1 - a'; kill -SEGV $$", (1, 1, 0)),
    ("echo 1..1; echo 'ok 1 - a'; echo 'x.c:1: runtime error: y'", (1, 1, 0)),
    ("exit 0", (0, 1, 0)),
])
def test_unit_program(tmp_path, script, expected):
    assert figures(run.unit_program(program(tmp_path, script))) == expected


def test_a_program_that_hangs(monkeypatch, tmp_path):
    real = run.run
    monkeypatch.setattr(run, "run", lambda command, timeout, **environment:
                        real(command, 0.2, **environment))
    assert figures(run.unit_program(program(tmp_path, "sleep 5"))) == (0, 1, 0)


@pytest.mark.parametrize("text, expected", [
    ("def test_a(): pass\ndef test_b(): assert False\n", (1, 1, 0)),
    ("import pytest\ndef test_a(): pytest.skip('x')\n", (0, 0, 1)),
    ("def test_a(: pass\n", (0, 1, 0)),
    ("", (0, 1, 0)),
])
def test_pytest(tmp_path, text, expected):
    path = tmp_path / "test_x.py"
    path.write_text(text)
    assert figures(run.pytest([path])) == expected


def test_an_empty_choice_may_be_fine(tmp_path):
    path = tmp_path / "test_x.py"
    path.write_text("def test_a(): pass\n")
    assert figures(run.pytest([path], "-m", "alone", empty=True)) == (0, 0, 0)
    assert figures(run.pytest([path], "-m", "alone")) == (0, 1, 0)


@pytest.mark.parametrize("lines, status, expected", [
    ("x: 3 passed, 0 failed", 0, (3, 0, 0)),
    ("x: 3 passed, 1 failed", 1, (3, 1, 0)),
    ("x: 3 passed, 0 failed", 1, (3, 1, 0)),
    ("Traceback", 1, (0, 1, 0)),
    ("", 0, (0, 1, 0)),
])
def test_check_script(tmp_path, lines, status, expected):
    script = tmp_path / "check_x.py"
    script.write_text(f"print({lines!r})\nraise SystemExit({status})\n")
    assert figures(run.check_script(script)) == expected


def test_clip():
    assert run.clip("short") == "short"
    assert run.clip("a" * 5 + "b" * 20 + "c" * 5, 5, 5) == "aaaaa\n[...]\nccccc"


def passing():
    return run.Count(passed=2, skipped=1)


def build_broken():
    return run.Count(failed=1, said="no")


def raising():
    raise OSError("no such thing")


@pytest.mark.parametrize("stages, last, status", [
    ([[[passing]]], "total: 2 passed, 0 failed, 1 skipped", 0),
    ([[[passing], [raising]]], "total: 2 passed, 1 failed, 1 skipped", 1),
    ([[[build_broken, passing]], [[passing]]],
     "total: 0 passed, 1 failed, 0 skipped", 1),
    ([], "total: 0 passed, 0 failed, 0 skipped", 1),
])
def test_totals(monkeypatch, capsys, stages, last, status):
    monkeypatch.setattr(run, "STAGES", stages)
    monkeypatch.setattr(sys, "argv", ["run.py"])
    assert run.main() == status
    assert capsys.readouterr().out.splitlines()[-1] == last
