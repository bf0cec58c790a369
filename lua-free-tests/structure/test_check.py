"""Every structural check sees a violation planted in a small house."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import check  # noqa: E402

SOUND = {
    "module/core/ig_core.h": "#include <stddef.h>\n",
    "module/core/ig_json.c": '#include <jansson.h>\n#include "ig_core.h"\n'
                             "json_t *ig_json(void);\n"
                             "json_t *ig_json(void) { return json_object(); }\n",
    "module/core/ig_crypto.c": "#include <openssl/sha.h>\n",
    "module/core/ig_text.c": "#include <string.h>\n"
                             "size_t ig_text(const char *s);\n"
                             "size_t ig_text(const char *s)\n"
                             "{\n    return strlen(s);\n}\n"
                             "const char *const ig_names[] = { \"a\" };\n",
    "module/store/ig_store.h": '#include "ig_core.h"\n',
    "module/store/ig_table.h": '#include "ig_store.h"\n',
    "module/store/ig_table.c": '#include "ig_table.h"\n',
    "module/redis/ig_redis_client.h": '#include <ngx_core.h>\n'
                                      '#include "ig_store.h"\n',
    "module/redis/ig_redis_reply.c": "#include <hiredis/read.h>\n",
    "module/http/ngx_http_integrity_worker.c": '#include "ig_table.h"\n'
                                               '#include "ig_redis_client.h"\n'
                                               "#include <ngx_http.h>\n",
    "module/ctl/ctl.c": '#include "ig_table.h"\n#include <stdio.h>\n',
}


def put(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def compile_pure(root):
    for source in root.glob("module/core/*.c"):
        build(root, source)
    for source in root.glob("module/store/*.c"):
        build(root, source)


def build(root, source):
    out = root / "build/obj" / source.relative_to(root).with_suffix(".o")
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-O2", "-D_FORTIFY_SOURCE=2", "-fPIC",
                    f"-I{root}/module/core", f"-I{root}/module/store", "-c",
                    "-o", out, source], check=True)


def link(root, symbols, more=""):
    text = more + "".join(f"int {name};\n" for name in symbols)
    put(root, "build/m.c", text)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o",
                    root / "build/ngx_http_integrity_module.so",
                    root / "build/m.c"], check=True)


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A sound house, built once."""
    root = tmp_path_factory.mktemp("model")
    for path, text in SOUND.items():
        put(root, path, text)
    compile_pure(root)
    link(root, check.EXPORTED)
    return root


@pytest.fixture
def house(model, tmp_path):
    """A copy of the sound house to plant something in."""
    return shutil.copytree(model, tmp_path / "house")


def problems(root):
    tree = check.Tree(root)
    return {function.__name__: found for function in check.CHECKS
            if (found := function(tree))}


def test_a_sound_house_has_none(house):
    assert problems(house) == {}


@pytest.mark.parametrize("path, line", [
    ("module/core/ig_x.c", "#include <ngx_core.h>"),
    ("module/core/ig_x.c", "#include <hiredis/read.h>"),
    ("module/core/ig_x.c", "#include <jansson.h>"),
    ("module/core/ig_x.c", "#include <openssl/sha.h>"),
    ("module/core/ig_x.c", "#include <utf8proc.h>"),
    ("module/core/ig_x.c", "#include <time.h>"),
    ("module/core/ig_x.c", "#  include <unistd.h>"),
    ("module/core/ig_x.c", '#include "ig_store.h"'),
    ("module/core/ig_x.h", '#include "ig_redis_client.h"'),
    ("module/core/ig_x.c", '#include "nowhere.h"'),
    ("module/store/ig_x.c", '#include "ig_redis_client.h"'),
    ("module/store/ig_x.c", "#include <jansson.h>"),
    ("module/redis/ig_redis_x.c", '#include "ig_table.h"'),
    ("module/redis/ig_redis_x.c", "#include <ngx_core.h>"),
    ("module/http/ngx_http_integrity_x.c", '#include "ig_table.h"'),
    ("module/http/ngx_http_integrity_x.c", '#include "ig_redis_client.h"'),
    ("module/http/ngx_http_integrity_x.c", "#include <jansson.h>"),
    ("module/http/ngx_http_integrity_x.c", "#include <hiredis/read.h>"),
    ("module/ctl/x.c", "#include <ngx_core.h>"),
    ("module/ctl/x.c", '#include "ig_redis_client.h"'),
    ("module/attic/x.c", "#include <stddef.h>"),
])
def test_includes(house, path, line):
    put(house, path, line + "\n")
    (problem,) = problems(house)["check_includes"]
    assert problem.startswith(path)


@pytest.mark.parametrize("room", ["core", "store"])
@pytest.mark.parametrize("header, call", [
    ("time.h", "return time(NULL);"),
    ("time.h", "struct timespec t; return clock_gettime(0, &t);"),
    ("unistd.h", "char c; return read(0, &c, 1);"),
    ("fcntl.h", 'return open("x", 0);'),
    ("stdlib.h", "return malloc(3) != NULL;"),
    ("stdio.h", 'return printf("%d", 3);'),
    ("stddef.h", "int ngx_palloc(int); return ngx_palloc(3);"),
])
def test_calls(house, room, header, call):
    source = house / f"module/{room}/ig_x.c"
    put(house, source.relative_to(house),
        f"#include <{header}>\nint ig_x(void)\n{{\n    {call}\n}}\n")
    build(house, source)
    (problem,) = problems(house)["check_calls"]
    assert problem.startswith(f"module/{room}/ig_x.c calls ")


def test_core_may_not_call_store(house):
    put(house, "module/store/ig_y.c", "int ig_y(void) { return 1; }\n")
    put(house, "module/core/ig_x.c",
        "int ig_y(void); int ig_x(void) { return ig_y(); }\n")
    compile_pure(house)
    assert problems(house)["check_calls"] == [
        "module/core/ig_x.c calls ig_y: core is pure"]


def test_a_library_outside_its_file(house):
    put(house, "module/core/ig_x.c",
        "void *json_object(void);\nvoid *ig_x(void)\n"
        "{\n    return json_object();\n}\n")
    build(house, house / "module/core/ig_x.c")
    assert problems(house)["check_calls"] == [
        "module/core/ig_x.c calls json_object: core is pure"]


def test_no_objects_is_no_pass(house):
    for path in (house / "build/obj/module/core").iterdir():
        path.unlink()
    assert problems(house)["check_calls"] != []


@pytest.mark.parametrize("line", [
    "int ig_count;", "static int n; int ig_n(void) { return ++n; }",
    "int ig_set = 3;", "const char *ig_name = \"a\";"])
def test_globals(house, line):
    put(house, "module/core/ig_x.c", line + "\n")
    build(house, house / "module/core/ig_x.c")
    assert len(problems(house)["check_globals"]) == 1


def test_exports(house):
    link(house, check.EXPORTED | {"ig_text"})
    assert problems(house)["check_exports"] == ["the module exports ig_text"]
    link(house, check.EXPORTED - {"ngx_modules"})
    assert problems(house)["check_exports"] == ["the module hides ngx_modules"]
    link(house, check.EXPORTED, "extern int ig_lost; int *p = &ig_lost;\n")
    assert "the module lacks ig_lost" in problems(house)["check_exports"]
    (house / "build/ngx_http_integrity_module.so").unlink()
    assert problems(house)["check_exports"] != []


def test_sizes(house):
    put(house, "lua-free-tests/long.py", "x = 1\n" * 601)
    put(house, "module/ctl/long.c",
        "int f(void)\n{\n" + "    ;\n" * 101 + "}\n")
    assert len(problems(house)["check_sizes"]) == 2


@pytest.mark.parametrize("path", [
    "module/core/policy.c", "module/store/ngx_table.c",
    "module/redis/ig_client.c", "module/http/ig_answer.c"])
def test_names(house, path):
    put(house, path, "")
    assert len(problems(house)["check_names"]) == 1


@pytest.mark.parametrize("path, text", [
    ("conf/limit.lua", "return 1"),
    ("module/redis/ig_redis_x.c", 'static char *c = "EVALSHA";'),
    ("conf/x.conf", "content_by_lua_block { }"),
    ("Makefile", "apt-get install libnginx-mod-http-lua"),
])
def test_no_scripts(house, path, text):
    put(house, path, text + "\n")
    assert len(problems(house)["check_no_scripts"]) == 1


@pytest.mark.parametrize("top", ["work", "root", "farm", "home"])
def test_places(house, top):
    put(house, "docs/x.md", f"see /{top}/main, or $PREFIX/{top}/x\n")
    assert problems(house)["check_places"] == [f"docs/x.md:1: /{top}/main"]
