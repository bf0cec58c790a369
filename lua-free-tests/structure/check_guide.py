#!/usr/bin/python3
"""Holds docs/audit-log.md, and what reads in conf/, against the log's schema.

check_guide.py [--root DIR] prints what is wrong and a line of totals. Each
check is a function of a folder and returns its problems as sentences;
test_check_guide.py plants a violation of each and sees it found.
"""

import argparse
import json
import re
import sys
from pathlib import Path

GUIDE = "docs/audit-log.md"
SCHEMA = "lua-free-tests/schema"
EVERY = "every line"


def _nested(key, part):
    """Names of the keys inside an object, or inside the objects of an array:
    `before.chain`, `rule[].name`."""
    for one in [part, *part.get("anyOf", [])]:
        for name in one.get("properties", {}):
            yield f"{key}.{name}"
        for name in one.get("items", {}).get("properties", {}):
            yield f"{key}[].{name}"


def keys(root):
    """{kind: its keys, nested ones too}."""
    found = {}
    for path in sorted((root / SCHEMA).glob("*.json")):
        found[path.stem] = set()
        for key, part in json.loads(path.read_text())["properties"].items():
            found[path.stem] |= {key, *_nested(key, part)}
    return found


def described(root):
    """{heading: the keys of the table below it}."""
    page = (root / GUIDE).read_text().partition(
        "\n## Every line and every key\n")[2]
    parts = re.split(r"^### (.+)$", page, flags=re.M)
    return {name.strip(): set(re.findall(r"^`([^`]+)` \| \S", text, re.M))
            for name, text in zip(parts[1::2], parts[2::2])}


def check_keys(root):
    """The guide describes every key of every kind of line, and none other."""
    known, told = keys(root), described(root)
    every = told.pop(EVERY, set())
    if not known or not every:
        return [f"no schema, or no table of {EVERY!r} in {GUIDE}"]
    problems = [f"{GUIDE} says nothing of lines of kind {kind}"
                for kind in known if kind not in told]
    problems += [f"{GUIDE} tells of lines of kind {kind}, which there are not"
                 for kind in told if kind not in known]
    for kind in known.keys() & told.keys():
        problems += [f"{GUIDE} does not describe {key} of {kind}"
                     for key in sorted(known[kind] - told[kind] - every)]
        problems += [f"{GUIDE} describes {key} of {kind}, which has none"
                     for key in sorted(told[kind] - known[kind])]
    shared = set.union(*known.values())
    problems += [f"{GUIDE} describes {key} of every line, which none has"
                 for key in sorted(every - shared)]
    return problems


def _top(root):
    return {key for found in keys(root).values() for key in found
            if not re.search(r"[.\[]", key)}


def check_lnav(root):
    """lnav's format has every key as a column, and none other."""
    text = (root / "conf/lnav/integrity_log.json").read_text()
    columns = set(json.loads(text)["integrity_log"]["value"]) | {"time"}
    return _difference("conf/lnav/integrity_log.json", _top(root), columns)


def check_sqlite(root):
    """SQLite's view has every key as a column, and none other."""
    text = (root / "conf/sqlite/integrity.sql").read_text()
    view = text.partition("VIEW IF NOT EXISTS audit")[2].partition(";")[0]
    columns = re.findall(r"j ->> '(\w+)' AS (\w+)", view)
    problems = [f"conf/sqlite/integrity.sql calls {key} {name}"
                for key, name in columns if key != name]
    return problems + _difference("conf/sqlite/integrity.sql", _top(root),
                                  {key for key, _ in columns})


def _difference(place, known, there):
    return ([f"{place} lacks {key}" for key in sorted(known - there)]
            + [f"{place} has {key}, which is not there"
               for key in sorted(there - known)])


def check_completion(root):
    """bash completes the kinds of lines, and none other."""
    place = "conf/bash-completion/integrityctl"
    match = re.search(r"--kind,\*\).*?'([\w\s]*)'", (root / place).read_text(),
                      re.S)
    return _difference(place, set(keys(root)),
                       set(match.group(1).split() if match else ()))


CHECKS = [check_keys, check_lnav, check_sqlite, check_completion]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=Path(__file__).parents[2], type=Path)
    root = parser.parse_args().root
    failed = 0
    for check in CHECKS:
        problems = check(root)
        failed += bool(problems)
        print(f"{'FAILED' if problems else 'ok    '} {check.__doc__}")
        for problem in problems:
            print(f"       {problem}")
    print(f"guide: {len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
