"""The guide agrees with the schema, and each check sees a planted fault."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import check_guide as check  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LNAV = "conf/lnav/integrity_log.json"
SQLITE = "conf/sqlite/integrity.sql"
COMPLETION = "conf/bash-completion/integrityctl"


@pytest.mark.parametrize("function", check.CHECKS,
                         ids=lambda function: function.__name__)
def test_the_tree_itself(function):
    assert function(ROOT) == []


@pytest.fixture
def copy(tmp_path):
    for path in (check.GUIDE, LNAV, SQLITE, COMPLETION, check.SCHEMA):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, tmp_path / path)
        else:
            shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


@pytest.mark.parametrize("function, path, old, new, problem", [
    (check.check_keys, check.GUIDE, "`evaluation` | ", "`evaluations` | ",
     "does not describe evaluation of decision"),
    (check.check_keys, check.GUIDE, "`evaluation` | ", "`evaluations` | ",
     "describes evaluations of decision, which has none"),
    (check.check_keys, check.GUIDE, "`rule[].add` | ", "`rule[].adds` | ",
     "does not describe rule[].add of decision"),
    (check.check_keys, check.GUIDE, "`before.last` | ", "`before` | ",
     "does not describe before.last of chain_open"),
    (check.check_keys, check.GUIDE, "### outcome\n", "### result\n",
     "nothing of lines of kind outcome"),
    (check.check_keys, check.GUIDE, "### outcome\n", "### result\n",
     "kind result, which there are not"),
    (check.check_keys, check.GUIDE, "`dropped` | so", "dropped | so",
     "does not describe dropped of outcome"),
    (check.check_keys, f"{check.SCHEMA}/repeat.json", '"count": {',
     '"counts": {', "does not describe counts of repeat"),
    (check.check_lnav, LNAV, '"seq":', '"number":', "lacks seq"),
    (check.check_lnav, LNAV, '"seq":', '"number":', "has number"),
    (check.check_sqlite, SQLITE, "'seq' AS seq", "'number' AS number",
     "lacks seq"),
    (check.check_sqlite, SQLITE, "'seq' AS seq", "'seq' AS number",
     "calls seq number"),
    (check.check_completion, COMPLETION, " repeat\n", " again\n",
     "lacks repeat"),
    (check.check_completion, COMPLETION, " repeat\n", " again\n",
     "has again, which is not there"),
])
def test_a_planted_fault(copy, function, path, old, new, problem):
    text = (copy / path).read_text()
    assert old in text
    (copy / path).write_text(text.replace(old, new))
    assert any(problem in found for found in function(copy))
