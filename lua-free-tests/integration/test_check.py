"""`integrityctl check`: what it accepts, and what it says where it does not.

test_check_nginx.py compares it with nginx.
"""

import json
import os
import re
import subprocess

import pytest

from harness import settings
from harness.check import GROUND, KEY, POLICY, Checker, http


@pytest.fixture
def check(folder):
    return Checker(folder)


def errors(check, text, **files):
    """The errors about a configuration which is right but for them."""
    checked = check(text, **files)
    assert checked.code == 1, checked.errors
    assert checked.out == ""
    return checked.errors


# -- the answer -------------------------------------------------------------

def test_summary(check):
    checked = check(http("""
        server {
            integrity on except=too_fast;
            location / { integrity_action order.create; }
            location /v { integrity_action $operation; integrity off; }
        }
        integrity_rule low "rating < 2" on=order.* score=5;
    """))
    assert checked.errors == []
    assert re.fullmatch(r"policy [0-9a-f]{16}: 2 fields, 1 counter, 2 rules, "
                        r"2 actions\n", checked.out)
    assert checked.code == 0

    main = check.folder / "main.conf"
    for arguments in (["--json", main], [main, "--json"]):
        asked = check(main.read_text(), arguments=arguments)
        assert (asked.code, asked.errors) == (0, [])
        assert json.loads(asked.out) == {
            "policy": checked.out[7:23], "fields": 2, "counters": 1,
            "rules": 2, "actions": 2, "fragment": False}


def test_hash_does_not_depend_on_files(check):
    whole = check(http("")).out
    parts = check(f"http {{ include p/*.conf; {GROUND} }}", files={
        "p/b.conf": POLICY.replace("\n", "  # a comment\n"),
        "p/a.conf": "integrity_threshold limit 9 default;"}).out
    assert whole and whole == parts
    other = check(http("").replace("limit 10", "limit 11")).out
    assert other.split(":")[0] != whole.split(":")[0]


def test_several_mistakes_in_order_of_the_file(check):
    assert errors(check, http("""
        integrity_rule a "nobody > 1" then=deny;
        server {
            integrity_node x;
            integrity on; integrity on;
        }
        integrity_counter b key=nix window=1h;
        integrity_field c json:x;
    """)) == [
        'main.conf:3: integrity_rule: rule "a": unknown name "nobody" at '
        'column 1 of "nobody > 1"',
        "main.conf:5: integrity_node: is not allowed here, only in http",
        "main.conf:6: integrity: is duplicate",
        'main.conf:8: integrity_counter: counter "b" is keyed by "nix", '
        "which is no field",
        'main.conf:9: integrity_field: "json:x" is no JSON pointer, as '
        "json:/items/*/sku",
    ]


def test_mistakes_of_one_line(check):
    assert errors(check, http(
        'integrity_rule a "x > 1" then=deny; integrity_node ""; integrity_rule '
        'b "y > 1" then=deny; integrity off; integrity off;')) == [
            'main.conf:3: integrity_node: invalid value "": a name of at '
            'most 63 letters, digits, ".", "_" and "-" is expected',
            "main.conf:3: integrity: is duplicate",
            'main.conf:3: integrity_rule: rule "a": unknown name "x" at '
            'column 1 of "x > 1"',
            'main.conf:3: integrity_rule: rule "b": unknown name "y" at '
            'column 1 of "y > 1"']


def test_both_places_of_a_redefinition(check):
    assert errors(check, "events { }\nhttp { include a.conf;\n"
                  "include b.conf; }", files={
                      "a.conf": "integrity_field a $a;\n"
                                "integrity_counter k key=a window=1h;\n",
                      "b.conf": "\n\nintegrity_counter k key=a window=2h;\n",
                  }) == ['b.conf:3: integrity_counter: "k" is defined '
                         "differently in a.conf:2"]


def test_usage(check, folder):
    right = http("")
    for arguments in ([], ["a", "b"], ["--verbose", "x"], ["-x"]):
        checked = check(right, arguments=arguments or ["--"])
        assert checked.code == 2 and checked.out == ""
        assert "Usage: integrityctl check [--json] FILE" in checked.errors
    checked = check(right, arguments=["--", folder / "main.conf"])
    assert checked.code == 0
    checked = check(right, arguments=["--help"])
    assert checked.code == 0 and "FILE:LINE: DIRECTIVE:" in checked.out


def test_no_such_file(check, folder):
    checked = check("", arguments=[folder / "nix.conf"])
    assert checked.code == 2
    assert checked.errors == [
        'integrityctl: cannot open "nix.conf": No such file or directory']
    checked = check("", arguments=[folder])
    assert checked.code == 2
    assert checked.errors == [
        f'integrityctl: cannot read "{folder}": Is a directory']


def test_configurations_of_ours():
    folder = settings.ROOT / "conf"
    names = sorted(path.name for path in folder.glob("*.conf"))
    assert names
    for name in names:
        done = subprocess.run([settings.CTL, "check", folder / name],
                              capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), name


# -- contexts, arguments, repetition ----------------------------------------

PLACES = {
    "main": "{}\nevents {{ }}\nhttp {{ {g}{p}\n}}",
    "http": "events {{ }}\nhttp {{ {}\n{g}{p}\n}}",
    "server": "events {{ }}\nhttp {{ {g}{p}\nserver {{ {}\n}} }}",
    "location": "events {{ }}\nhttp {{ {g}{p}\n"
                "server {{ location / {{ location /a {{ {}\n}} }} }} }}",
    "if": "events {{ }}\nhttp {{ {g}{p}\n"
          "server {{ location / {{ if ($args) {{ {}\n}} }} }} }}",
    "limit_except": "events {{ }}\nhttp {{ {g}{p}\nserver {{ location / {{"
                    " limit_except GET {{ {}\n}} }} }} }}",
    "upstream": "events {{ }}\nhttp {{ {g}{p}\n"
                "upstream u {{ {}\nserver 127.0.0.1; }} }}",
    "events": "events {{ {}\n}}\nhttp {{ {g}{p}\n}}",
    "stream": "events {{ }}\nstream {{ server {{ {}\n}} }}\nhttp "
              "{{ {g}{p}\n}}",
}

EVERYWHERE = {"http", "server", "location"}

CONTEXTS = [
    ("integrity_node edge-1;", {"http"}),
    ("integrity_redis 127.0.0.1:6379;", {"http"}),
    ("integrity_field more $more;", {"http"}),
    ("integrity_counter more key=account window=1h;", {"http"}),
    ("integrity_rule more true then=hold;", {"http"}),
    ("integrity_scores hold=5;", {"http"}),
    ("integrity_time_zone +08:00;", {"http"}),
    ("integrity_threshold limit 10;", EVERYWHERE),
    ("integrity off;", EVERYWHERE),
    ("integrity_action review.create;", EVERYWHERE),
    ("integrity_tenant $host;", EVERYWHERE),
    ("integrity_body max=1k;", EVERYWHERE),
    ("integrity_audit off;", EVERYWHERE),
    ("integrity_audit_sample 10;", EVERYWHERE),
    ("integrity_status_throttle 503;", EVERYWHERE),
    ("integrity_status_deny 404;", EVERYWHERE),
    ("integrity_status;", {"location"}),
]


@pytest.mark.parametrize("directive, right", CONTEXTS)
def test_context(check, directive, right):
    for place, text in PLACES.items():
        checked = check(text.format(directive, g=GROUND, p=POLICY))
        if place in right:
            assert (checked.code, checked.errors) == (0, []), place
        else:
            where = ("http, server and location" if right == EVERYWHERE
                     else next(iter(right)))
            name = directive.rstrip(";").split()[0]
            assert len(checked.errors) == 1, (place, checked.errors)
            assert checked.errors[0].endswith(
                f": {name}: is not allowed here, only in {where}"), place


@pytest.mark.parametrize("directive, message", [
    ("integrity_zone;", "integrity_zone: takes at least 1 argument, not 0"),
    ("integrity_zone a b c;",
     "integrity_zone: takes at most 2 arguments, not 3"),
    ("integrity_node;", "integrity_node: takes 1 argument, not 0"),
    ("integrity_node a b;", "integrity_node: takes 1 argument, not 2"),
    ("integrity_field a;", "integrity_field: takes at least 2 arguments, "
                           "not 1"),
    ("integrity_node a { }", 'integrity_node: is no block, it ends with ";"'),
    ("integrity_nodes a;", "integrity_nodes: unknown directive"),
    ("integrity_ a;", "integrity_: unknown directive"),
])
def test_arguments(check, directive, message):
    assert errors(check, f"http {{ {directive} }}") == [f"main.conf:1: {message}"]


@pytest.mark.parametrize("directive, message", [
    ("integrity_zone x;", "integrity_zone: "),
    ("integrity_redis unix:;", "integrity_redis: "),
    ("integrity_node a/b;", "integrity_node: "),
    ("integrity_audit log on_error=stop;", "integrity_audit: "),
    ("integrity_audit_sample 0;", "integrity_audit_sample: "),
    ("integrity_body depth=deep;", "integrity_body: "),
    ("integrity maybe;", "integrity: "),
    ("integrity_action Review;", "integrity_action: "),
    ("integrity_action decision.deny;", "integrity_action: "),
    ("integrity_status_throttle 200;", "integrity_status_throttle: "),
    ("integrity_status_deny 999;", "integrity_status_deny: "),
    ("integrity_threshold x much;", "integrity_threshold: "),
    ("server { integrity_threshold x much; }", "integrity_threshold: "),
    ("integrity_field x json:;", "integrity_field: "),
    ("integrity_counter x key=y;", "integrity_counter: "),
    ("integrity_rule x true;", "integrity_rule: "),
    ("integrity_scores hold=0;", "integrity_scores: "),
    ("integrity_time_zone CET;", "integrity_time_zone: "),
])
def test_every_reader_is_asked(check, directive, message):
    (error,) = errors(check, f"http {{\n{directive}\n}}")
    assert error.startswith(f"main.conf:2: {message}"), error
    assert error.count(message) == 1


def test_duplicates(check):
    once = ["integrity_zone z:1m;", "integrity_redis localhost;",
            "integrity_secret k;", "integrity_node a;", "integrity off;",
            "integrity_action $a;", "integrity_tenant a;",
            "integrity_body max=1k;", "integrity_audit off;",
            "integrity_audit_sample 2;", "integrity_status_throttle 503;",
            "integrity_status_deny 404;"]
    for directive in once:
        name = directive.split()[0].rstrip(";")
        assert errors(check, f"http {{ {directive}\n\n{directive} }}") == [
            f"main.conf:3: {name}: is duplicate"]
    assert errors(check, http("server { integrity_threshold limit 1;\n"
                              "integrity_threshold limit 2; }")) == [
        "main.conf:4: integrity_threshold: is duplicate"]
    assert check(http("""
        integrity_threshold other 1; integrity_action a; integrity on;
        server { integrity_threshold limit 1; integrity_threshold other 1;
                 integrity_action a; integrity on;
                 location / { integrity_threshold limit 1;
                              integrity_action a; integrity on; } }
        server { integrity_threshold limit 1; integrity on; }
    """)).errors == []


# -- places -----------------------------------------------------------------

def test_except_names_rules(check):
    assert errors(check, http("""
        server { integrity on except=too_fast,slow;
                 location / { integrity dry_run except=account_1h; } }
    """)) == [
        'main.conf:3: integrity: leaves out "slow", which is no rule',
        'main.conf:4: integrity: leaves out "account_1h", which is no rule']


def test_a_wrong_place_is_one_mistake(check):
    assert errors(check, http("""
        server { location / { if ($args) { integrity on except=slow;
                                           integrity_threshold x 1; } } }
    """)) == [
        "main.conf:3: integrity: is not allowed here, only in http, server "
        "and location",
        "main.conf:4: integrity_threshold: is not allowed here, only in "
        "http, server and location"]


def test_place_thresholds_are_declared(check):
    assert errors(check, http(
        "server { integrity_threshold limit 1; integrity_threshold x 2; }"
    )) == ['main.conf:3: integrity_threshold: "x" has no value in http, '
           "which every threshold needs"]


def test_names_of_refused_lines_are_not_missed(check):
    assert errors(check, http("""
        integrity_rule slow "account_1h > 1" then=stop;
        integrity_threshold x y;
        server { integrity on except=slow; integrity_threshold x 1; }
    """)) == [
        'main.conf:3: integrity_rule: "then=stop" is none of allow, hold, '
        "throttle, deny",
        'main.conf:4: integrity_threshold: "y" is neither a number nor a '
        "duration, as 10, 0.5 or 1h30m"]


def test_use_needs_zone_and_secret(check):
    for mode in ("on", "dry_run", "$mode"):
        text = f"http {{ server {{ integrity off;\nlocation / {{ integrity {mode}; }} }} }}"
        assert errors(check, text) == [
            'main.conf:2: integrity: needs "integrity_zone" in http',
            'main.conf:2: integrity: needs "integrity_secret" in http']
    assert check("http { integrity off; }").code == 0


def test_an_action_nothing_speaks_of(check):
    checked = check(http("server { integrity_action order.create; }").replace(
        "then=throttle", "then=throttle on=review.*"))
    assert checked.code == 0
    assert checked.errors == [
        "main.conf:3: warning: integrity_action: no counter and no rule "
        'speaks of "order.create"']


# -- the secret -------------------------------------------------------------

def test_secret(check, folder):
    key = folder / "integrity.key"
    key.write_text(KEY)
    key.chmod(0o600)
    assert check(http("")).errors == []
    key.chmod(0o640)
    assert check(http("")).errors == []
    key.chmod(0o604)
    assert errors(check, http("")) == [
        'main.conf:2: integrity_secret: "integrity.key" can be read by '
        "others: its mode is 0604, 0600 or 0640 would be right"]
    key.chmod(0o600)
    key.write_text("k1:short\n")
    (error,) = errors(check, http(""))
    assert error.startswith('main.conf:2: integrity_secret: "integrity.key": ')
    assert "short" not in error
    key.write_bytes(b"#" * 65537)
    assert errors(check, http("")) == [
        'main.conf:2: integrity_secret: "integrity.key" is larger than '
        "64 KiB"]
    key.unlink()
    key.mkdir()
    assert errors(check, http("")) == [
        'main.conf:2: integrity_secret: "integrity.key" is not a regular '
        "file"]


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user")
def test_secret_that_only_nginx_may_read(check, folder):
    key = folder / "integrity.key"
    key.write_text("rubbish\n")
    key.chmod(0o600)
    assert check(http(""), user="nobody").errors == []


# -- files ------------------------------------------------------------------

def test_includes(check, folder):
    (folder / "absolute.conf").write_text("integrity_threshold limit 3;\n")
    checked = check(f"""
http {{
    include d/*.conf;
    include d/none-*.conf;
    include {folder}/absolute.conf;
    {GROUND}
    server {{ include server.inc; }}
}}
include main.inc;
""", files={
        # relative to the main file's folder, not to the including file's
        "d/1.conf": "integrity_field a $a; include d/deeper/x;",
        "d/2.conf": 'integrity_rule r "k > limit" then=deny;',
        "d/2.conf.bak": "rubbish {",
        "d/deeper/x": "integrity_counter k key=a window=1h;",
        "server.inc": "location / { integrity on; integrity_action a; }",
        "main.inc": "events { }",
    })
    assert (checked.code, checked.errors) == (0, [])
    assert " 1 field, 1 counter, 1 rule, 1 action\n" in checked.out


def test_large_file(check):
    filler = "# " + "x" * 997 + "\n"
    whole = check(http("")).out
    assert check(http(filler * 100 + "server { }" + filler * 200)).out == whole
    assert errors(check, http(filler * 300 + "integrity_field f json:;")) == [
        'main.conf:303: integrity_field: "json:" is no JSON pointer, as '
        "json:/items/*/sku"]


def test_many_arguments(check):
    checked = check(http("""
        integrity_counter many on=a key=account,rating window=1h
            distinct=account max=9 count=attempts warmup=1d "if=rating > 1";
        integrity_redis 127.0.0.1 timeout=1s connect_timeout=2s db=3
            on_error=deny;
        map $a $b { a b c d e f g h i j k l m n o p q r s t u v w x y z; }
        server { server_name a b c d e f g h i j k l m n o p q r s t u v; }
    """))
    assert (checked.code, checked.errors) == (0, [])
    assert errors(check, http("integrity_counter k on=a key=account window=1h "
                              "distinct=account max=9 count=attempts warmup=1d "
                              "exact;")) == [
        'main.conf:3: integrity_counter: "k": exact and distinct= exclude '
        "each other"]


def test_include_errors(check):
    assert errors(check, "\ninclude nix.conf;") == [
        'main.conf:2: cannot open "nix.conf": No such file or directory']
    assert errors(check, "include a b;") == [
        "main.conf:1: include: takes one file or pattern"]
    assert errors(check, "http {\ninclude a.conf;\n}", files={
        "a.conf": "x;\ny {\n"}) == [
        'a.conf:3: unexpected end of file, expecting "}"']
    assert errors(check, "http {\ninclude a.conf;", files={
        "a.conf": "x;\n}\n"}) == ['a.conf:2: unexpected "}"']
    (error,) = errors(check, "include main.conf;")
    assert error == ('main.conf:1: include: "main.conf" is nested in more '
                     "than 32 others")


def test_blocks_without_directives(check):
    checked = check(http("""
        map $uri $x { default 1; integrity_rule r; "}" 2; include nix; "~{" 3; }
        types { integrity/zone zone; }
        split_clients $x $y { 50% integrity_zone; * { nested; } }
        integrity_map { integrity_node a; }
    """))
    assert checked.errors == [
        "main.conf:6: integrity_map: unknown directive"]


def test_fragment(check):
    checked = check(POLICY + "server { integrity on; integrity_action x;"
                    "location / { integrity off; } }\n"
                    "location /a { integrity on; }")
    assert (checked.code, checked.errors) == (0, [])
    assert checked.out.endswith(" 1 rule, 2 actions (read as part of http)\n")
    assert errors(check, "integrity_status;") == [
        "main.conf:1: integrity_status: is not allowed here, only in "
        "location"]


def test_line_of_the_end(check):
    """As in nginx, a directive's line is where it ends."""
    assert errors(check, "http {\nintegrity_field\na\njson:\n;}") == [
        'main.conf:5: integrity_field: "json:" is no JSON pointer, as '
        "json:/items/*/sku"]


# -- quotes, as the policy sees them ----------------------------------------

def source(check, text):
    """What check understands as the source of a field, by its hash."""
    checked = check(f"http {{ integrity_field f {text}; }}")
    assert checked.errors == [], text
    return checked.out


@pytest.mark.parametrize("one, two", [
    ("$a", '"$a"'), ("$a", "'$a'"),
    ('"a b"', "'a b'"),
    ('"a\\"b"', "'a\"b'"), ("'a\\'b'", '"a\'b"'),
    ('"a\\\\b"', "a\\\\b"), ('"a\\nb"', "'a\nb'"), ('"a\\tb"', "'a\tb'"),
    ("a\\\"b", "'a\"b'"), ("a#b", '"a#b"'), ("a}b", '"a}b"'),
    ("a'b", '"a\'b"'), ("${a}b", '"${a}b"'), ("a${b}", '"a${b}"'),
    ("'a\\db'", '"a\\\\db"'),
    ("$a # comment ; {\n", "$a"),
    ("'a;b'", '"a;b"'),
])
def test_quotes(check, one, two):
    assert source(check, one) == source(check, two)
    assert source(check, one) != source(check, "other")


def test_quoted_whole(check):
    assert check(http('integrity_counter x key=account window=1h '
                      '"if=rating >= 5";')).code == 0
    assert errors(check, http('integrity_counter x key=account window=1h '
                              'if="rating >= 5";')) == [
        'main.conf:3: integrity_counter: "if="rating" begins with a quote '
        'after "=": quote the whole parameter, "if=..."']
