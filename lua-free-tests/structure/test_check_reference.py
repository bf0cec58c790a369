"""The reference agrees with the code, and each check sees a planted fault."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import check_reference as check  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("function", check.CHECKS,
                         ids=lambda function: function.__name__)
def test_the_tree_itself(function):
    assert function(ROOT) == []


@pytest.fixture
def copy(tmp_path):
    """The files that are looked at, to plant something in."""
    for path in (check.COMMANDS, check.VARIABLES, check.METRICS, "README.md",
                 "lua-free-tests/README.md", *(path.relative_to(ROOT) for path in
                   [*ROOT.glob(check.SETTINGS), *ROOT.glob("docs/*.*"),
                    *ROOT.glob("conf/**/*")])):
        if (ROOT / path).is_file():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, tmp_path / path)
    for name in ("LICENSE", "CHANGES"):
        (tmp_path / name).touch()
    return tmp_path


def plant(root, path, old, new):
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new))


@pytest.mark.parametrize("old, new, problem", [
    ("### integrity_node\n", "### integrity_nodes\n",
     "no entry for integrity_node"),
    ("### integrity_node\n", "### integrity_nodes\n",
     "integrity_nodes, which is no directive"),
    ("Default:  integrity_node hostname;\n", "",
     "integrity_node: its entry does not begin"),
    ("Syntax:   integrity_node name", "Syntax:   integrity_field name",
     "integrity_node: its syntax"),
    ("Default:  integrity_node hostname", "Default:  hostname",
     "integrity_node: its default"),
    ("Context:  location\n", "Context:  server, location\n",
     "integrity_status: its context is location"),
])
def test_directives(copy, old, new, problem):
    plant(copy, check.REFERENCE, old, new)
    assert any(problem in found for found in check.check_directives(copy))


def test_no_table_is_no_pass(copy):
    (copy / check.COMMANDS).write_text("")
    assert check.check_directives(copy) != []
    assert check.check_settings(copy) != []


@pytest.mark.parametrize("old, new, problem", [
    ("### $integrity_score\n", "### $integrity_sum\n",
     "no entry for $integrity_score"),
    ("### $integrity_score\n", "### $integrity_sum\n",
     "$integrity_sum, which is no variable"),
    ("### $integrity_field_NAME\n", "### $integrity_fields\n",
     "no entry for $integrity_field_NAME"),
])
def test_variables(copy, old, new, problem):
    plant(copy, check.REFERENCE, old, new)
    assert any(problem in found for found in check.check_variables(copy))


@pytest.mark.parametrize("old, new, problem", [
    ('"integrity_node",            IG_CTX_HTTP',
     '"integrity_node",            IG_CTX_PLACE', "other contexts"),
    ('"integrity_node",            IG_CTX_HTTP,     1, 1',
     '"integrity_node",            IG_CTX_HTTP,     1, 2', "another number"),
    ('"integrity_node"', '"integrity_nodes"', "in nginx's table alone"),
    ('"integrity_node"', '"integrity_nodes"', "in the core's table alone"),
])
def test_settings(copy, old, new, problem):
    plant(copy, "module/core/ig_settings.c", old, new)
    assert any(problem in found for found in check.check_settings(copy))


def test_metrics(copy):
    plant(copy, check.REFERENCE, "`aborted_total`", "`vanished_total`")
    assert len(check.check_metrics(copy)) == 2


@pytest.mark.parametrize("link", ["nowhere.md", "reference.md#nowhere",
                                  "#nowhere"])
def test_links(copy, link):
    page = copy / check.REFERENCE
    page.write_text(page.read_text() + f"\n[there]({link})\n")
    assert check.check_links(copy) == [
        f"{check.REFERENCE}: {link} leads nowhere"]
