#!/usr/bin/python3
"""Keeps the house's structure: which room may know which, and what core may do.

check.py [--root DIR] [--build DIR] prints what is wrong and a line of totals.
Each check is a function of a Tree and returns its problems as sentences;
test_check.py plants a violation of each and sees it found.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

MAX_LINES = 600
MAX_FUNCTION = 100

# Rooms whose code must be pure: the headers they may include, and what of the
# C library they may call. No I/O, no clock, no allocator, no printing.

PURE_HEADERS = {
    "arpa/inet.h", "assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h",
    "limits.h", "math.h", "netinet/in.h", "stdalign.h", "stdarg.h", "stdatomic.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h",
}

PURE_CALLS = {
    "__stack_chk_fail", "__assert_fail", "__ctype_b_loc", "_GLOBAL_OFFSET_TABLE_",
    "memchr", "memcmp", "memcpy", "memmove", "memrchr", "memset", "strchr",
    "strcmp", "strcspn", "strlen", "strncmp", "strnlen", "strrchr", "strspn",
    "strstr", "snprintf", "vsnprintf", "strtod", "strtol", "strtoll",
    "strtoul", "strtoull", "bsearch", "qsort", "inet_ntop", "inet_pton",
    "abs", "labs", "llabs", "ceil", "exp", "fabs", "floor", "fma", "fmax",
    "fmin", "fmod", "frexp", "ldexp", "llround", "llrint", "log", "log2",
    "lround", "modf", "nearbyint", "pow", "rint", "round", "sqrt", "trunc",
}

# A library is used in one file; jansson also where the desk reads its lines,
# of libcrypto signatures are apart from hashes.
LIBRARY_FILE = {"jansson.h": ("core/ig_json.c", "ctl/ig_ctl_line.c"),
                "openssl/": ("core/ig_crypto.c", "core/ig_sign.c"),
                "utf8proc.h": ("core/ig_token.c",)}
LIBRARY_CALLS = {
    "ig_json": re.compile(r"^json_"),
    "ig_token": re.compile(r"^utf8proc_"),
    "ig_sign": re.compile(r"^EVP_"),
    "ig_crypto": re.compile(r"^(EVP|HMAC|SHA\d*|RAND|OPENSSL|CRYPTO|ERR|OSSL)_"),
}

# Room: the rooms whose headers it may include besides its own.
ARROWS = {
    "core": set(),
    "store": {"core"},
    "redis": {"core", "store"},
    "http": {"core", "store"},
    "ctl": {"core", "store"},
}

# A room shows one header to the others; what else of it may be included, by
# whom: the zone lays the table out, the worker picks the store, the batch falls
# back to the table, a cached answer is a note in it, history is loaded there.
PORT = {"store": "ig_store.h"}
SET_UP = {
    "ig_table.h": {"http/ngx_http_integrity_worker.c",
                   "http/ngx_http_integrity_zone.c",
                   "http/ngx_http_integrity_batch.c",
                   "http/ngx_http_integrity_load.c",
                   "http/ngx_http_integrity_cached.c"},
    "ig_redis_client.h": {"http/ngx_http_integrity_worker.c"},
}

# The client is the part of redis that runs on nginx's event loop: these two
# headers, and what includes them.
NGINX_IN_REDIS = {"redis/ig_redis_client.h", "redis/ig_redis_int.h"}

PREFIX = {"core": "ig_", "store": "ig_", "redis": "ig_redis_",
          "http": "ngx_http_integrity"}

EXPORTED = {"ngx_modules", "ngx_module_names", "ngx_module_order",
            "ngx_http_integrity_module"}

TEXT = {".c", ".h", ".py", ".md", ".conf", ".json", ".map", ".sh", ".yml",
        ".yaml", ".txt", ".supp", ".ini", ""}


class Tree:
    """A checkout and its build directory."""

    def __init__(self, root, build=None):
        self.root = Path(root)
        self.build = Path(build) if build else self.root / "build"

    def files(self):
        """Every file that could be committed, as paths below the root."""
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name != ".git"
                          and not re.match(r"build(-|$)|__pycache__|\.pytest",
                                           name)]
            for name in names:
                path = Path(folder, name)
                if path.suffix != ".pyc":
                    yield path.relative_to(self.root)

    def read(self, path):
        return (self.root / path).read_text(errors="replace")

    def sources(self):
        """(room, path) of every C file of the module."""
        for path in sorted(self.files()):
            if path.parts[0] == "module" and path.suffix in (".c", ".h"):
                yield path.parts[1], path

    def objects(self, room):
        """The objects of a room's present sources."""
        folder = self.build / "obj" / "module" / room
        return [path for path in sorted(folder.glob("*.o"))
                if (self.root / "module" / room / f"{path.stem}.c").exists()]


def _includes(text):
    return re.findall(r'^\s*#\s*include\s+(["<])([^">]+)[">]', text, re.M)


def _rooms_of_headers(tree):
    return {path.name: room for room, path in tree.sources()
            if path.suffix == ".h"}


def _own_header_problem(room, place, name, rooms):
    home = rooms.get(name)
    if home is None:
        return f'includes "{name}", which no room has'
    if home == room:
        return None
    if room == "http" and name in SET_UP:
        if place in SET_UP[name]:
            return None
        return f'includes "{name}": only set-up files may'
    if home not in ARROWS[room]:
        return f'includes "{name}": {room} must not know {home}'
    if name != PORT.get(home, name) and room != "ctl":
        return f'includes "{name}": only {PORT[home]} is {home}\'s port'
    return None


def _library_problem(room, place, name):
    for library, homes in LIBRARY_FILE.items():
        if name.startswith(library):
            return (None if place in homes
                    else f"includes <{name}>: only {' and '.join(homes)} may")
    if name.startswith("ngx_"):
        client = place in NGINX_IN_REDIS
        return (None if room == "http" or client
                else f"includes <{name}>: nginx is not known here")
    if name.startswith("hiredis/"):
        return (None if room == "redis"
                else f"includes <{name}>: hiredis is not known here")
    if room in ("core", "store") and name not in PURE_HEADERS:
        return f"includes <{name}>: {room} is pure"
    return None


def check_includes(tree):
    """The arrows between the rooms, and each library in its place."""
    rooms = _rooms_of_headers(tree)
    problems = []
    for room, path in tree.sources():
        if room not in ARROWS:
            problems.append(f"{path}: no such room")
            continue
        place = f"{room}/{path.name}"
        for mark, name in _includes(tree.read(path)):
            if mark == '"':
                problem = _own_header_problem(room, place, name, rooms)
            else:
                problem = _library_problem(room, place, name)
            if problem:
                problems.append(f"{path}: {problem}")
    return problems


def _symbols(path):
    """(section, name) of each symbol of an object."""
    done = subprocess.run(["objdump", "-t", path], capture_output=True,
                          text=True, check=True)
    for line in done.stdout.splitlines():
        match = re.match(r"^[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+\s+"
                         r"(?:\.hidden )?(\S+)$", line)
        if match and match.group(1)[5] != "d" and match.group(1)[6] != "f":
            yield match.group(2), match.group(3)


def _plain(name):
    """Without what _FORTIFY_SOURCE and the linker's versions add."""
    name = name.partition("@")[0]
    match = re.match(r"^__(\w+)_chk$", name)
    return match.group(1) if match and name not in PURE_CALLS else name


def check_calls(tree):
    """Objects of core and store call only core, and what is pure in libc."""
    problems = []
    known = set()
    for room in ("core", "store"):
        objects = {path: list(_symbols(path)) for path in tree.objects(room)}
        if not objects and any(where == room and path.suffix == ".c"
                               for where, path in tree.sources()):
            problems.append(f"no objects of module/{room} in {tree.build}")
        known |= {name for symbols in objects.values()
                  for section, name in symbols if section != "*UND*"}
        for path, symbols in objects.items():
            library = LIBRARY_CALLS.get(path.stem)
            problems += [
                f"module/{room}/{path.stem}.c calls {name}: {room} is pure"
                for section, name in symbols if section == "*UND*"
                and name not in known and _plain(name) not in PURE_CALLS
                and not (library and library.match(name))]
    return problems


def check_globals(tree):
    """Core and store have no variables that change."""
    return [f"module/{room}/{path.stem}.c: {name} can change ({section})"
            for room in ("core", "store") for path in tree.objects(room)
            for section, name in _symbols(path)
            if re.match(r"\.(data|bss|tdata|tbss)|\*COM\*", section)
            and not section.startswith(".data.rel.ro")]


def check_exports(tree):
    """The module shows nginx its own symbols and no others."""
    module = tree.build / "ngx_http_integrity_module.so"
    if not module.exists():
        return [f"no {module.name} in {tree.build}"]
    done = subprocess.run(["nm", "-D", module], capture_output=True, text=True,
                          check=True)
    lines = [line.split()[-2:] for line in done.stdout.splitlines()]
    names = {name for kind, name in lines if kind not in "Uvw"}
    lost = {name for kind, name in lines if kind == "U"
            and name.startswith(("ig_", "ngx_http_integrity"))}
    return ([f"the module exports {name}" for name in sorted(names - EXPORTED)]
            + [f"the module hides {name}" for name in sorted(EXPORTED - names)]
            + [f"the module lacks {name}" for name in sorted(lost)])


def check_sizes(tree):
    """No file over 600 lines, no function over 100."""
    problems = []
    for path in tree.files():
        if path.suffix not in (".c", ".h", ".py"):
            continue
        lines = tree.read(path).splitlines()
        if len(lines) > MAX_LINES:
            problems.append(f"{path}: {len(lines)} lines: it holds two things")
        if path.suffix == ".c":
            problems += [f"{path}:{begin}: a function of {size} lines"
                         for begin, size in _functions(lines)
                         if size > MAX_FUNCTION]
    return problems


def _functions(lines):
    begin = 0
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            begin = number
        elif line.rstrip() == "}" and begin:
            yield begin, number - begin - 1
            begin = 0


def check_names(tree):
    """nginx flattens object names: every basename carries its prefix."""
    return [f"{path}: the name does not begin with {PREFIX[room]}"
            for room, path in tree.sources()
            if not path.name.startswith(PREFIX.get(room, ""))]


def check_no_scripts(tree):
    """No Lua: no such file, no such package, no script sent to Redis."""
    problems = [f"{path}: a Lua file" for path in tree.files()
                if path.suffix in (".lua", ".luac", ".moon")]
    script = re.compile(r'"(EVAL|EVALSHA|EVAL_RO|SCRIPT|FCALL|FUNCTION)\b|'
                        r"\$(4|7)\\r\\n(EVAL|EVALSHA)\b|_by_lua(_block|_file)?\b|"
                        r"libnginx-mod-http-lua|\blibluajit")
    problems += [f"{path}: {match.group(0)}" for path in tree.files()
                 if path.parts[0] in ("module", "conf", "demo", "Makefile",
                                      "config", "tools")
                 for match in script.finditer(tree.read(path))]
    return problems


def check_places(tree):
    """No path of one machine in any file."""
    place = re.compile(r"(?<![\w.$%}])/(?:root|work|farm|home)/\w+")
    return [f"{path}:{number}: {match.group(0)}"
            for path in tree.files() if path.suffix in TEXT
            for number, line in enumerate(tree.read(path).splitlines(), 1)
            for match in place.finditer(line)]


CHECKS = [check_includes, check_calls, check_globals, check_exports,
          check_sizes, check_names, check_no_scripts, check_places]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=Path(__file__).parents[2])
    parser.add_argument("--build")
    options = parser.parse_args()
    tree = Tree(options.root, options.build)
    failed = 0
    for check in CHECKS:
        problems = check(tree)
        failed += bool(problems)
        print(f"{'FAILED' if problems else 'ok    '} {check.__doc__}")
        for problem in problems:
            print(f"       {problem}")
    print(f"structure: {len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
