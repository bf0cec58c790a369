#!/usr/bin/python3
"""Holds docs/reference.md and the core's table against nginx's command table.

check_reference.py [--root DIR] prints what is wrong and a line of totals.
Each check is a function of a folder and returns its problems as sentences;
test_check_reference.py plants a violation of each and sees it found.
"""

import argparse
import re
import sys
from pathlib import Path

COMMANDS = "module/http/ngx_http_integrity_module.c"
VARIABLES = "module/http/ngx_http_integrity_variables.c"
METRICS = "module/core/ig_metrics.h"
REFERENCE = "docs/reference.md"
SETTINGS = "module/core/ig_settings*.c"

# In the order in which nginx.org names them.
CONTEXTS = {"MAIN": "http", "SRV": "server", "LOC": "location"}


def _without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def commands(root):
    """{directive: (contexts, fewest, most)} of nginx's table; most may be
    None."""
    text = _without_comments((root / COMMANDS).read_text())
    place = re.search(r"#define NGX_HTTP_INTEGRITY_PLACE\s*\\?\s*\n?"
                      r"\s*\(([^)]*)\)", text)
    table = text.partition("ngx_http_integrity_commands[]")[2]
    table = table.partition("ngx_null_command")[0]
    found = {}
    for name, flags in re.findall(
            r'\{\s*ngx_string\("(\w+)"\),\s*([^,]*?)\s*,', table):
        if place:
            flags = flags.replace("NGX_HTTP_INTEGRITY_PLACE", place.group(1))
        contexts = tuple(word for key, word in CONTEXTS.items()
                         if f"NGX_HTTP_{key}_CONF" in flags)
        found[name] = (contexts, *_arguments(flags))
    return found


def _arguments(flags):
    if "NGX_CONF_NOARGS" in flags:
        return 0, 0
    match = re.search(r"NGX_CONF_(\d)MORE", flags)
    if match:
        return int(match.group(1)), None
    match = re.search(r"NGX_CONF_TAKE(\d+)", flags)
    counts = [int(digit) for digit in match.group(1)]
    return min(counts), max(counts)


def settings(root):
    """The same of the core's ig_directives[]; most is a number."""
    contexts = {"IG_CTX_HTTP": ("http",), "IG_CTX_LOCATION": ("location",),
                "IG_CTX_SERVER": ("server",),
                "IG_CTX_PLACE": ("http", "server", "location")}
    for path in sorted(root.glob(SETTINGS)):
        text = _without_comments(path.read_text())
        match = re.search(r"ig_directives\[\]\s*=\s*\{(.*?)\n\};", text, re.S)
        if not match:
            continue
        return {name: (contexts[context], int(fewest),
                       int(most) if most.isdigit() else None)
                for name, context, fewest, most in re.findall(
                    r'\{\s*"(\w+)",\s*(\w+),\s*(\d+),\s*(\w+),',
                    match.group(1))}
    return {}


def variables(root):
    """Names of variables; those that are prefixes end in NAME."""
    text = (root / VARIABLES).read_text()
    defined = dict(re.findall(r'#define\s+(\w+)\s+"(\w+)"', text))
    table = text.partition("ngx_http_integrity_vars[]")[2]
    table = table.partition("ngx_http_null_variable")[0]
    found = set()
    for literal, word, rest in re.findall(
            r'\{\s*ngx_string\((?:"(\w+)"|(\w+))\),(.*?)\}', table, re.S):
        name = literal or defined[word]
        prefix = "NGX_HTTP_VAR_PREFIX" in rest
        found.add(name + "NAME" if prefix else name)
    return found


def entries(root):
    """{heading: its text} of the reference's third-level headings."""
    parts = re.split(r"^### (.+)$", (root / REFERENCE).read_text(), flags=re.M)
    return {name.strip(): re.split(r"^## ", text, flags=re.M)[0]
            for name, text in zip(parts[1::2], parts[2::2])}


def check_directives(root):
    """Every directive has an entry, with nginx's contexts, and none other."""
    known = commands(root)
    told = {name: text for name, text in entries(root).items()
            if re.fullmatch(r"integrity(_\w+)?", name)}
    if not known:
        return [f"no directive found in {COMMANDS}"]
    problems = [f"{REFERENCE} has no entry for {name}"
                for name in known if name not in told]
    problems += [f"{REFERENCE} tells of {name}, which is no directive"
                 for name in told if name not in known]
    for name, text in told.items():
        if name in known:
            problems += _form(name, text, known[name][0])
    return problems


def _form(name, text, contexts):
    match = re.match(r"\s*```\nSyntax:   (?P<syntax>.*?)\nDefault:  "
                     r"(?P<default>.*?)\nContext:  (?P<context>[^\n]*)\n```",
                     text, re.S)
    if not match:
        return [f"{name}: its entry does not begin with Syntax, Default, "
                "Context"]
    problems = []
    if not re.match(rf"{name}[ ;]", match.group("syntax")):
        problems.append(f"{name}: its syntax is another directive's")
    if match.group("default") != "-" \
            and not match.group("default").startswith(name + " "):
        problems.append(f"{name}: its default is another directive's")
    if match.group("context") != ", ".join(contexts):
        problems.append(f"{name}: its context is {', '.join(contexts)}")
    return problems


def check_variables(root):
    """Every variable has an entry, and there is none other."""
    known = variables(root)
    told = {name[1:] for name in entries(root) if name.startswith("$")}
    if not known:
        return [f"no variable found in {VARIABLES}"]
    return ([f"{REFERENCE} has no entry for ${name}"
             for name in sorted(known - told)]
            + [f"{REFERENCE} tells of ${name}, which is no variable"
               for name in sorted(told - known)])


def check_settings(root):
    """The core's table of directives is nginx's."""
    nginx, core = commands(root), settings(root)
    if not nginx or not core:
        return ["no table of directives found"]
    problems = [f"{name} is in nginx's table alone"
                for name in nginx if name not in core]
    problems += [f"{name} is in the core's table alone"
                 for name in core if name not in nginx]
    for name in nginx.keys() & core.keys():
        if nginx[name][0] != core[name][0]:
            problems.append(f"{name} has other contexts in the core's table")
        elif nginx[name][1] != core[name][1] or (
                nginx[name][2] is not None
                and nginx[name][2] != core[name][2]):
            problems.append(f"{name} takes another number of arguments in the "
                            "core's table")
    return problems


def check_metrics(root):
    """The reference names every metric of the status page, and none other."""
    text = (root / METRICS).read_text()
    known = set(re.findall(r'^\s*X\(\w+, "(\w+)"', text, re.M))
    page = (root / REFERENCE).read_text()
    page = page.partition("\n## Status page\n")[2].partition("\n## ")[0]
    rows = "".join(line.split(" | ")[0] for line in page.splitlines()
                   if line.startswith("`") and line.count(" | ") == 2)
    told = set(re.findall(r"`(\w+)`", rows))
    # named where they are written, not in the table of cells
    known |= {"info", "redis_latency_seconds", "decisions_total", "rule_total"}
    if len(known) == 4:
        return [f"no metric found in {METRICS}"]
    return ([f"{REFERENCE} does not name the metric {name}"
             for name in sorted(known - told)]
            + [f"{REFERENCE} names {name}, which is no metric"
               for name in sorted(told - known)])


def check_links(root):
    """Links between the pages lead to pages and headings that are there."""
    problems = []
    for path in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        if not path.exists():
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
            if re.match(r"\w+:", target):
                continue
            file, _, anchor = target.partition("#")
            page = (path.parent / file) if file else path
            if not page.exists() or (anchor and page.suffix == ".md"
                                     and anchor not in _anchors(page)):
                problems.append(f"{path.relative_to(root)}: {target} leads "
                                "nowhere")
    return problems


def _anchors(page):
    found = set()
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    for heading in re.findall(r"^#+ (.+)$", text, re.M):
        kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(kept.replace(" ", "-"))
    return found


CHECKS = [check_directives, check_variables, check_settings, check_metrics,
          check_links]


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
    print(f"reference: {len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
