"""nginx and `integrityctl check` say the same.

The tokenizer is compared with nginx's own: whatever nginx -t takes or refuses
for its syntax, check takes or refuses on the same line. The mistakes in
integrity directives are compared with the module: the same words, the same
file and line.
"""

import os
import re
import subprocess

import pytest

from harness import settings
from harness.check import KEY, Checker, http


@pytest.fixture
def check(folder):
    return Checker(folder)


def nginx_test(folder, text, module):
    """(accepted, message) of nginx -t over main.conf."""
    load = f"load_module {settings.MODULE}; " if module else ""
    (folder / "main.conf").write_text(
        f"{load}pid {folder}/pid; error_log stderr; {text}")
    done = subprocess.run(
        [settings.NGINX, "-t", "-e", "stderr", "-p", folder,
         "-c", folder / "main.conf"],
        capture_output=True, text=True, timeout=20 * settings.PATIENCE,
        env={**os.environ, **settings.SANITIZER_ENVIRONMENT})
    said = re.search(r"\[emerg\] (?:\d+#\d+: )?(.*)", done.stderr)
    assert (done.returncode == 0) == (said is None), done.stderr
    return said.group(1).replace(f"{folder}/", "") if said else None


SYNTAX = [
    "", ";", "{", "}", "{ }", "a", "set", "#", "# x\n", "http", "http {",
    "http { }", "http { } }", "http { ; }", "http\n{\n}\n", "http{}",
    "http { server { }", "http { server { } } ;",
    'http { log_format a "x"; }', 'http { log_format a "x\n"; }',
    'http { log_format a "x; }\n\n', "http { log_format a 'x; }",
    'http { log_format a "x"y; }', 'http { log_format a "x"; "', "'",
    'http { log_format a "x"\'y\'; }', 'http { log_format a x"y"; }',
    'http { log_format a "x" "y"; }', 'http { log_format a "x"{ }',
    "http { log_format a x\\; ; }", "http { log_format a x\\",
    "http { log_format a ${host}; }", "http { log_format a x${host}y; }",
    "http { log_format a $ {host}; }", "http { log_format a x{host}; }",
    "http { log_format a \\{; }", "http { log_format a \\\\{; }",
    "http { log_format a $\\{; }", "http { log_format a $${host}; }",
    "http { log_format a }; }", "http { log_format a x}y; }",
    "http { log_format a x#y; }", "http { log_format a x #y;\n; }",
    "http { log_format # {\n a # }\n b; }", "http { log_format a b }",
    'http { server { location / { if ($args = "x") { return 404; } } } }',
    'http { server { location / { if ($args = "x"y) { return 404; } } } }',
    "http { map $uri $x { default 1; \"}\" 2; '{' 3; } }",
    "http { map $uri $x { default 1; ~^/a$ 2; /x{y 3; } }",
    "http { map $uri $x { default 1; ${uri} 2; a\\} 3; } }",
    "http { map $uri $x { default 1;", "http { map $uri $x { default 1 } }",
    'http { log_format a "' + "x" * 4094 + '"; }',
    'http { log_format a "' + "x" * 4200 + '"; }',
    "http { log_format a " + "x" * 4094 + "; }",
    "http { log_format a " + "x" * 4200 + "; }",
    "include none-*.conf;", "include none.conf;", "\n\ninclude none.conf;\n",
    "include;", "http { log_format a\n\n\n b\n }",
]


@pytest.mark.parametrize("text", SYNTAX)
def test_syntax_as_nginx(check, folder, text):
    said = nginx_test(folder, "events { } " + text, module=False)
    checked = check((folder / "main.conf").read_text())
    if said is None:
        assert (checked.code, checked.errors) == (0, [])
        return
    syntactic = re.search(r"unexpected|too long parameter|open\(\)|"
                          r'number of arguments in "include"|'
                          r"is not terminated by", said)
    if not syntactic:
        # nginx minds what check does not know: it must have read it as well
        assert (checked.code, checked.errors) == (0, []), said
        return
    assert checked.code == 1, said
    line = re.search(r"main\.conf:(\d+)$", said).group(1)
    # an open quote is shown where it opens; nginx shows the end of the file
    if "has no end" not in checked.errors[0]:
        assert checked.errors[0].startswith(f"main.conf:{line}: "), said


MISTAKES = [
    "integrity_field a $a; integrity_field hour $a;",
    "integrity_field a $a;\n\nintegrity_field a $b;",
    "integrity_counter k key=a window=1h;",
    'integrity_rule r "a > 1" then=deny;',
    'integrity_rule r "1 +" then=deny;',
    "integrity_threshold t 1; integrity_threshold t 2;",
    "integrity_scores hold=9 deny=3;",
    "integrity_time_zone MEZ;",
    "integrity_node a/b;",
    "integrity_zone z:1;",
    "integrity_audit_sample x;",
    "integrity_body max=0;",
    "integrity maybe;",
    "integrity_action Review;",
    "integrity_status_deny 200;",
    "server { integrity_threshold t x; }",
    "server {\nintegrity_threshold t 1;\n}",
    "integrity off; server { location / { integrity on; } }",
    "integrity_zone z:4m; server { location / { integrity dry_run; } }",
    "server { integrity off except=none; }",
    "integrity_node a; integrity_node b;",
    "server { integrity_node a; }",
    "integrity_node;",
    "integrity_node a b;",
    "integrity_frob;",
    "server { listen 127.0.0.1:1; location / { integrity_status x; } }",
    "integrity_field f;",
]


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes_as_nginx(check, folder, text):
    said = nginx_test(folder, f"events {{ }}\nhttp {{\n{text}\n}}",
                      module=True)
    assert said is not None
    checked = check((folder / "main.conf").read_text())
    assert checked.code == 1
    place, message = re.fullmatch(r"(main\.conf:\d+): (.*)",
                                  checked.errors[0]).groups()
    assert said.endswith(f" in {place}"), (said, checked.errors)

    # The words are the core's own; nginx has its own for what it sees itself.
    own = {
        "is duplicate": '"{}" directive is duplicate',
        "is not allowed here": '"{}" directive is not allowed here',
        "takes": 'invalid number of arguments in "{}" directive',
        "unknown directive": 'unknown directive "{}"',
        "needs": '"{}" needs ',
        "leaves out": '"{}" leaves out ',
        '"t" has no value in http': '"{}" "t" has no value in http',
    }
    name, rest = message.split(": ", 1)
    for words, form in own.items():
        if rest.startswith(words):
            assert said.startswith(form.format(name)), (said, message)
            return
    assert said == f"{message} in {place}"


def test_right_as_nginx(check, folder):
    key = folder / "integrity.key"
    key.write_text(KEY)
    key.chmod(0o600)
    text = http("server { listen 127.0.0.1:1; location / { integrity on;"
                "integrity_action review.create; } }")
    assert nginx_test(folder, text, module=True) is None
    assert check((folder / "main.conf").read_text()).errors == []
