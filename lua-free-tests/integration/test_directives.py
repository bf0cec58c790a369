"""What nginx -t refuses: with the directive, the text and the place; and
`integrityctl check` with the same."""

import os
import re
import subprocess

import pytest

from harness import settings, template
from harness.ledger import POLICY
from harness.senders import post_request
from harness.template import write_secret

WHOLE = """\
load_module %(module)s;
pid %(dir)s/nginx.pid;
events { }
http {
    access_log off;
    map $uri $operation { default order.create; }
%(ground)s
%(http)s
    server {
        listen unix:%(dir)s/s;
%(server)s
    }
}
"""

GROUND = """
    integrity_zone   integrity:4m;
    integrity_secret secret.key;
    integrity_field     account $http_x_account private;
    integrity_field     content json:/content text;
    integrity_field     rating  json:/rating;
    integrity_field     late    $upstream_http_x;
    integrity_counter   hits    key=account window=1h;
    integrity_threshold limit   10;
    integrity_rule      over    "hits > limit" then=throttle;
"""


class Folder:
    """A configuration whose line with the mistake ends with #!"""

    def __init__(self, path):
        self.path = path
        write_secret(path / "secret.key")
        (path / "logs").mkdir()
        (path / "pipe").unlink(missing_ok=True)
        os.mkfifo(path / "pipe")

    def write(self, http="", server="", ground=GROUND):
        text = WHOLE % {"module": settings.MODULE, "dir": self.path,
                        "http": http, "server": server, "ground": ground}
        (self.path / "nginx.conf").write_text(text.replace("%DIR%",
                                                           str(self.path)))
        marked = [number for number, line in enumerate(text.split("\n"), 1)
                  if line.endswith("#!")]
        return marked[-1] if marked else None

    def _run(self, *command):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, **settings.SANITIZER_ENVIRONMENT})
        assert "Sanitizer" not in done.stderr, done.stderr
        return done.returncode, done.stderr

    def nginx(self):
        """What nginx -t refuses with, or None."""
        code, said = self._run(
            settings.NGINX, "-t", "-e", "stderr", "-p", self.path,
            "-c", self.path / "nginx.conf")
        found = re.findall(r"\[emerg\] (?:\d+#\d+: )?(.*)", said)
        assert (code == 0) == (not found), said
        return found[0] if found else None

    def check(self):
        """What integrityctl check refuses with."""
        code, said = self._run(settings.CTL, "check",
                               self.path / "nginx.conf")
        errors = [line for line in said.splitlines() if "warning:" not in line]
        assert code == (1 if errors else 0), said
        return errors


@pytest.fixture
def place(folder):
    return Folder(folder)


def test_the_ground_is_right(place):
    place.write(server="""
        integrity on; integrity_action $operation;
        location / { integrity dry_run except=over; integrity_audit a.log; }
        location /s { integrity_status; }
    """)
    assert (place.nginx(), place.check()) == (None, [])


# Each: the line, and what must stand in the message beside the directive and
# the place. Lines of a server begin with "server ".

MISTAKES = [
    # the zone
    ("integrity_zone other:8m;", ["is duplicate"]),
    ("integrity_secret secret.key;", ["is duplicate"]),
    ("integrity_node a; integrity_node b;", ["is duplicate"]),
    ("integrity_node a/b;", ['"a/b"']),
    ('integrity_node "";', ['""']),
    (f"integrity_node {'n' * 64};", ["63"]),
    # Redis
    *((f"integrity_redis {address};", [f'"{address}"'])
      for address in ("unix:", "unix:relative", "127.0.0.1:0",
                      "127.0.0.1:65536", "127.0.0.1:x", "[::1", "[::1]x",
                      ":6379", "redis://127.0.0.1", "a,b", "$host")),
    *((f"integrity_redis 127.0.0.1 {parameter};",
       [parameter])
      for parameter in ("timeout=0", "timeout=-1s", "timeout=2h",
                        "timeout=fast", "connect_timeout=", "db=-1", "db=x",
                        "db=99999999999", "on_error=maybe", "tls=on", "x")),
    ("integrity_redis 127.0.0.1 user=edge;", ['"password_file="']),
    ("integrity_redis 127.0.0.1 db=1 db=1;", ["is duplicate"]),
    ("integrity_redis 127.0.0.1; integrity_redis 127.0.0.1;",
     ["is duplicate"]),
    # fields
    *((f"integrity_field {rest};", words) for rest, words in (
        ("x json:", ['"json:"']), ("x json:a", ['"json:a"']),
        ("x json:/a/*/b/*", ['"json:/a/*/b/*"']), ("x json:/~2", ["~"]),
        ('x ""', ["empty"]), ("9x $host", ['"9x"']), ("a-b $host", ['"a-b"']),
        ("hour $host", ['"hour"']), ("has $host", ['"has"']),
        ("hits $host", ['"hits"', "counter"]),
        ("limit $host", ['"limit"', "threshold"]),
        ("x $host secret", ['"secret"']), ("x $host private=1", ["private"]),
        ("x $host on=", ["on="]), ("x $host on=A", ['"A"']),
        ("x $host on=a,,b", ['""']), ("x $host on=*a", ['"*a"']),
        ("x $host on=decision.deny", ['"decision.deny"']),
        ("x $host net=24", ["net=24"]), ("x $host net=33/56", ["33/56"]),
        ("x $host net=0/56", ["0/56"]), ("x $host net=24/129", ["24/129"]),
        ("x json:/a net=24/56", ["net="]), ("x json:/a decode", ["decode"]),
        ("x json:/*/a text", ["text"]), ("x $host text net=24/56", ["net="]),
        ("x $host text text", ["twice"]),
        ("account $http_x_other", ['"account"', "private"]),
        ("account $http_x_other private", ['"account"']),
        ("content json:/other", ['"content"', "text"]),
        ('x $host on="a"', ["quote the whole parameter"]),
        ("x $nowhere", ['"$nowhere"']), ("x a$nowhere.b", ['"$nowhere"']),
        ("x ${nowhere}", ['"$nowhere"']), ("x $", ['"$"']),
        ("x a${host", ['"a${host"']),
    )),
    # counters
    *((f"integrity_counter x {rest};", words) for rest, words in (
        ("window=1h", ["key="]), ("key=account", ["window="]),
        ("key=nobody window=1h", ['"nobody"']),
        ("key=hits window=1h", ['"hits"']),
        ("key=content window=1h", ['"content"', "text"]),
        ("key=account,account window=1h", ['"account"']),
        ("key=account, window=1h", ['""']),
        ("key=late window=1h", ['"late"', "count=completed"]),
        ("key=account window=", ["window="]),
        ("key=account window=0", ["window=0"]),
        ("key=account window=-1h", ["-1h"]),
        ("key=account window=1x", ["1x"]),
        ("key=account window=1h30", ["1h30"]),
        ("key=account window=11y", ["11y"]),
        ("key=account window=500ms", ["500ms"]),
        ("key=account window=1h distinct=nobody", ['"nobody"']),
        ("key=account window=1h distinct=content", ['"content"']),
        ("key=account window=1h sum=rating mean=rating", ["exclude"]),
        ("key=account window=1h first last", ["exclude"]),
        ("key=account window=1h max=5", ["max="]),
        ("key=account window=1h exact max=0", ["max=0"]),
        ("key=account window=1h exact max=65537", ["65537"]),
        ("key=account window=1h count=never", ["never"]),
        ("key=account window=1h warmup=x", ["warmup=x"]),
        ("key=account window=1h on=decision.allow", ["decision.allow"]),
        ('key=account window=1h "if=nobody > 1"', ['"nobody"']),
        ('key=account window=1h "if=x > 1"', ["itself"]),
        ('key=account window=1h "if=rating >"', ['"rating >"']),
        ('key=account window=1h "if=late > 1"', ['"late"']),
        ('key=account window=1h if="rating > 1"',
         ["quote the whole parameter"]),
        ("key=account window=1h window=1h", ["twice"]),
    )),
    ("integrity_counter account key=account window=1h;", ["field"]),
    ("integrity_counter hits key=account window=2h;",
     ['"hits"', "nginx.conf:"]),
    # rules
    *((f"integrity_rule {rest};", words) for rest, words in (
        ('x "nobody > 1" then=deny', ['"nobody"', "column 1"]),
        ('x "hits >" then=deny', ['"hits >"']),
        ('x "hits > 1 2" then=deny', ['"hits > 1 2"']),
        ('x "(hits > 1" then=deny', ['"(hits > 1"']),
        ('x "hits = 1" then=deny', ['"hits = 1"']),
        ('x "1 < hits < 3" then=deny', ['"1 < hits < 3"']),
        ("x \"hits > 'ten'\" then=deny", ["'ten'"]),
        ('x "frob(hits) > 1" then=deny', ['"frob']),
        ('x "rate(account) > 1" then=deny', ["account"]),
        ('x "hits > 1x" then=deny', ["1x"]),
        ('x "" then=deny', ["empty"]),
        ('x "hits + 1" then=deny', ['"hits + 1"']),
        ('x "' + "!" * 60 + 'has(hits)" then=deny', ["nested"]),
        ('x "late == 1" then=deny', ['"late"']),
        ('x "hits > 1"', ["then="]),
        ('x "hits > 1" then=block', ['"then=block"']),
        ('x "hits > 1" score=x', ['"score=x"']),
        ('x "hits > 1" score=1000001', ["1000001"]),
        ('x "hits > 1" then=deny on_error=no', ['"on_error=no"']),
        ('x "hits > 1" then=deny dry_run=on', ["dry_run"]),
        ('x "hits > 1" then=deny on=decision.*', ["decision."]),
        ('9 "hits > 1" then=deny', ['"9"']),
        ('over "hits > limit" then=deny', ['"over"', "nginx.conf:"]),
        ('x then="deny"', ["then="]),
        ('x "hits > 1" then="deny"', ["quote the whole parameter"]),
    )),
    # thresholds, scores, zone
    ("integrity_threshold limit 11;", ['"limit"', "nginx.conf:"]),
    ("integrity_threshold x ten;", ['"ten"']),
    ("integrity_threshold x 1 extra;", ['"extra"']),
    ("integrity_threshold x 1 default; integrity_threshold x 2 default;",
     ['"x"', "nginx.conf:"]),
    ("integrity_threshold hits 1;", ['"hits"', "counter"]),
    ("integrity_scores hold=x;", ['"hold=x"']),
    ("integrity_scores hold=0;", ["hold=0"]),
    ("integrity_scores hold=90 deny=50;", ["deny=50", "hold=90"]),
    ("integrity_scores allow=5;", ['"allow=5"']),
    ("integrity_scores hold=5; integrity_scores hold=6;", ["nginx.conf:"]),
    ("integrity_time_zone CET;", ['"CET"']),
    ("integrity_time_zone +15:00;", ['"+15:00"']),
    ("integrity_time_zone +8;", ['"+8"']),
    ("server integrity_threshold nobody 1;", ['"nobody"']),
    ("server integrity_threshold limit x;", ['"x"']),
    ("server integrity_threshold limit 1 default;", ['"default"']),
    ("server integrity_threshold limit 1; integrity_threshold limit 2;",
     ["duplicate"]),
    # places
    *((f"server {line};", words) for line, words in (
        ("integrity maybe", ['"maybe"']), ("integrity On", ['"On"']),
        ("integrity $", ['"$"']), ("integrity $nowhere", ['"$nowhere"']),
        ("integrity on except=", ['"except="']),
        ("integrity on except=nobody", ['"nobody"']),
        ("integrity on except=over,,over", ['"over,,over"']),
        ("integrity on x=1", ['"x=1"']),
        ("integrity on; integrity off", ["duplicate"]),
        ("integrity_action Order", ['"Order"']),
        ("integrity_action order.*", ['"order.*"']),
        (f"integrity_action {'a' * 65}", ["64"]),
        ("integrity_action decision.deny", ['"decision.deny"']),
        ("integrity_action $nowhere", ['"$nowhere"']),
        ("integrity_action x post", ['"post"']),
        ("integrity_action x POST POST", ['"POST"']),
        ("integrity_action x A B C D E F G H I", ['"I"']),
        ("integrity_action x unclassified=pass", ['"pass"']),
        ("integrity_action x body body", ["duplicate"]),
        ("integrity_action x; integrity_action x", ["duplicate"]),
        ("integrity_tenant a; integrity_tenant b", ["duplicate"]),
        ("integrity_body max=0", ['"0"']), ("integrity_body max=65m", ["65m"]),
        ("integrity_body max=1x", ['"1x"']),
        ("integrity_body depth=0", ['"0"']),
        ("integrity_body depth=1001", ['"1001"']),
        ("integrity_body values=-1", ['"-1"']),
        ("integrity_body invalid=allow", ['"allow"']),
        ("integrity_body max=1k max=1k", ["duplicate"]),
        ("integrity_body 16k", ['"16k"']),
        ("integrity_body max=1k; integrity_body max=2k", ["duplicate"]),
        ("integrity_audit_sample 0", ['"0"']),
        ("integrity_audit_sample 1.5", ['"1.5"']),
        ("integrity_status_deny 399", ['"399"']),
        ("integrity_status_throttle 600", ['"600"']),
        ("integrity_status_deny ok", ['"ok"']),
        ('integrity_audit ""', ['""']), ("integrity_audit $host", ['"$host"']),
        ("integrity_audit a.log on_error=stop", ['"stop"']),
        ("integrity_audit a.log path=full", ['"full"']),
        ("integrity_audit a.log format=x", ['"format=x"']),
        ("integrity_audit off on_error=deny", ['"on_error=deny"']),
        ("integrity_audit a.log; integrity_audit b.log", ["duplicate"]),
    )),
]

# Beyond check's sight: it opens no file but secrets, knows no variables.
ONLY_NGINX = re.compile(r"nowhere|\$\{host;")


@pytest.mark.parametrize("line, words", MISTAKES,
                         ids=[line[:60] for line, _ in MISTAKES])
def test_mistakes(place, line, words):
    server = line.startswith("server ")
    line = line.removeprefix("server ")
    parts = {"server" if server else "http": f"    {line} #!"}
    number = place.write(**parts)
    said = place.nginx()
    assert said is not None, "accepted"
    directive = line.split(";")[-2].split()[0]
    where = f"nginx.conf:{number}"
    for word in (directive, *words):
        assert word in said, said
    assert said.endswith(f"in {place.path}/{where}"), said
    if not ONLY_NGINX.search(line):
        checked = place.check()
        assert len(checked) == 1
        for word in (where + ": ", directive, *words):
            assert word in checked[0], checked


CONTEXTS = [("integrity_zone z:1m", "server"),
            ("integrity_redis 127.0.0.1", "server"),
            ("integrity_secret secret.key", "server"),
            ("integrity_node a", "location"),
            ("integrity_field a $host", "server"),
            ("integrity_counter a key=account window=1h", "server"),
            ("integrity_rule a true then=deny", "location"),
            ("integrity_scores hold=1", "server"),
            ("integrity_time_zone UTC", "location"),
            ("integrity on", "if"), ("integrity_action a", "if"),
            ("integrity_threshold limit 1", "if"),
            ("integrity_audit off", "limit_except"),
            ("integrity_body max=1k", "if"), ("integrity_tenant a", "if"),
            ("integrity_audit_sample 1", "if"),
            ("integrity_status_deny 403", "limit_except"),
            ("integrity_status_throttle 429", "if"),
            ("integrity_status", "http"), ("integrity_status", "server"),
            ("integrity on", "upstream"), ("integrity on", "main")]


@pytest.mark.parametrize("line, context", CONTEXTS)
def test_contexts(place, line, context):
    wrap = {"http": "%s", "server": "server {\n%s\n}",
            "location": "server { location / {\n%s\n} }",
            "if": "server { location / { if ($args) {\n%s\n} } }",
            "limit_except": "server { location / { limit_except GET {\n%s\n"
                            "} } }",
            "upstream": "upstream u {\n%s\nserver 127.0.0.1:1; }",
            "main": "}\n%s\nhttp {"}[context]
    number = place.write(http=wrap % f"{line}; #!")
    said = place.nginx()
    assert f'"{line.split()[0]}" directive is not allowed here' in said
    assert said.endswith(f"nginx.conf:{number}")
    assert [error for error in place.check()
            if f"nginx.conf:{number}: {line.split()[0]}: is not allowed"
            in error]


ZONES = ["integrity", "integrity:", ":4m", "", "integrity:1k", "integrity:4x",
         "integrity:-4m", "integrity:1023k", "integrity:99999999999999999999m",
         "integrity:4m new_keys=0", "integrity:4m new_keys=x",
         "integrity:4m keys=1"]


@pytest.mark.parametrize("zone", ZONES)
def test_zones(place, zone):
    number = place.write(
        http=f"integrity_zone {zone or repr('')}; #!",
        ground=GROUND.replace("integrity_zone   integrity:4m;", ""))
    said = place.nginx()
    assert "integrity_zone" in said and said.endswith(f"nginx.conf:{number}")
    assert zone.split(" ")[-1].partition("=")[0] in said
    checked = place.check()
    assert [error for error in checked
            if f"nginx.conf:{number}: integrity_zone: " in error]


def test_a_zone_of_another_module(place):
    number = place.write(http="limit_req_zone $uri zone=integrity:4m"
                         " rate=1r/s; #!")
    said = place.nginx()
    assert '"integrity"' in said and said.endswith(f"nginx.conf:{number}")


# What must be there


@pytest.mark.parametrize("missing, needs", [
    ("integrity_zone   integrity:4m;", "integrity_zone"),
    ("integrity_secret secret.key;", "integrity_secret")])
@pytest.mark.parametrize("line", ["integrity on;", "integrity dry_run;",
                                  "integrity $operation;",
                                  "location / { integrity_status; }"])
def test_zone_and_secret_are_needed(place, line, missing, needs):
    number = place.write(server=f"{line} #!",
                         ground=GROUND.replace(missing, ""))
    said = place.nginx()
    assert f'"{needs}"' in said and said.endswith(f"nginx.conf:{number}")
    assert "integrity_status" in said or "status" not in line
    assert [error for error in place.check()
            if f"nginx.conf:{number}: " in error and needs in error]


def test_what_is_off_needs_nothing(place):
    place.write(server="integrity off; location / { integrity off; }",
                ground="")
    assert (place.nginx(), place.check()) == (None, [])


# Both places of a redefinition, the order of lines, files


def test_both_places_are_named(place):
    (place.path / "pack.conf").write_text(
        "\nintegrity_counter hits key=account window=1h max=3;\n")
    place.write(http="include pack.conf;")
    said = place.nginx()
    assert said.endswith(f"{place.path}/pack.conf:2")
    (place.path / "pack.conf").write_text(
        "\n\nintegrity_counter hits key=account window=2h;\n")
    number = place.write(http="include pack.conf;") or 0
    said = place.nginx()
    text = (place.path / "nginx.conf").read_text().split("\n")
    number = 1 + next(index for index, line in enumerate(text)
                      if "integrity_counter   hits" in line)
    assert f"nginx.conf:{number}" in said
    assert said.endswith(f"in {place.path}/pack.conf:3")
    assert "pack.conf:3: integrity_counter" in place.check()[0]


def test_order_and_repetition_do_not_matter(place):
    lines = [line for line in GROUND.split("\n") if line.strip()]
    place.write(ground="\n".join(reversed(lines)),
                http="\n".join(line for line in lines
                               if "zone" not in line and "secret" not in line
                               and "_field" not in line))
    assert (place.nginx(), place.check()) == (None, [])


# Files


def keys(*lines):
    return "".join(line + "\n" for line in lines)


GOOD = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="

SECRETS = {
    "short": (keys("k1:c2hvcnQ="), 0o600, ["line 1"]),
    "not base64": (keys("k1:" + GOOD[:-2] + "!!"), 0o600, []),
    "no id": (keys(":" + GOOD), 0o600, []),
    "no colon": (keys(GOOD), 0o600, []),
    "bad id": (keys("k 1:" + GOOD), 0o600, []),
    "twice": (keys("k1:" + GOOD, "k1:" + GOOD), 0o600, ["line 2"]),
    "empty": ("", 0o600, []),
    "only comments": ("# none\n\n", 0o600, []),
    "too many": (keys(*(f"k{n}:{GOOD}" for n in range(17))), 0o600, []),
    "bad mark": (keys(f"k1:{GOOD}:main"), 0o600, []),
    "0644": (keys("k1:" + GOOD), 0o644, ["0644"]),
    "0602": (keys("k1:" + GOOD), 0o602, ["0602"]),
    "0601": (keys("k1:" + GOOD), 0o601, ["0601"]),
    "missing": (None, 0, ["No such file"]),
}


@pytest.mark.parametrize("name", SECRETS)
def test_secrets(place, name):
    text, mode, words = SECRETS[name]
    path = place.path / "other.key"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    number = place.write(
        ground=GROUND.replace("integrity_secret secret.key;", ""),
        http="integrity_secret other.key; #!")
    said = place.nginx()
    for word in ("other.key", *words):
        assert word in said, said
    assert "integrity_secret" in said, said
    assert said.endswith(f"nginx.conf:{number}"), said
    for key in (GOOD, GOOD[:20], "c2hvcnQ"):
        assert key not in said
    if text is not None:
        (checked,) = place.check()
        assert f"nginx.conf:{number}: integrity_secret" in checked
        for key in (GOOD, GOOD[:20], "c2hvcnQ"):
            assert key not in checked


@pytest.mark.parametrize("text, mode, word", [
    (None, 0, "No such file"), ("x\n", 0o644, "0644"), ("", 0o600, "empty"),
    ("\n", 0o600, "empty"), ("x" * 70000, 0o600, "64 KiB")])
def test_password_files(place, text, mode, word):
    path = place.path / "password"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    number = place.write(
        http="integrity_redis 127.0.0.1 password_file=password; #!")
    said = place.nginx()
    assert word in said and "password" in said
    assert "integrity_redis" in said
    assert said.endswith(f"nginx.conf:{number}")


@pytest.mark.parametrize("target", [
    "logs", "logs/", ".", "/dev/null", "/dev/stdout", "pipe", "none/a.log",
    "syslog:server=127.0.0.1", "memory:1m", "stderr"])
def test_audit_files(place, target):
    number = place.write(server=f"integrity_audit {target}; #!")
    said = place.nginx()
    assert said is not None, "accepted"
    assert target.rstrip("/.") in said and "integrity_audit" in said, said
    assert said.endswith(f"nginx.conf:{number}"), said


@pytest.mark.parametrize("other", [
    "access_log same.log combined;", "error_log same.log;"])
@pytest.mark.parametrize("first", [True, False])
def test_an_audit_file_is_nobody_elses(place, other, first):
    audit = "integrity_audit same.log;"
    lines = [audit, other] if first else [other, audit]
    place.write(server="\n".join(lines).replace(audit, audit + " #!"))
    said = place.nginx()
    assert said is not None, "accepted"
    assert "same.log" in said and "integrity_audit" in said


def test_a_hard_link_is_the_same_file(place):
    (place.path / "a.log").write_text("")
    os.link(place.path / "a.log", place.path / "b.log")
    place.write(server="location /a { integrity_audit a.log; }\n"
                "location /b { integrity_audit b.log; }")
    assert place.nginx() is None


# Variables that name nothing


@pytest.mark.parametrize("name", ["field_nobody", "counter_nobody",
                                  "field_hits", "counter_account",
                                  "field_", "verdicts"])
def test_variables_of_nothing(place, name):
    place.write(server=f"add_header X $integrity_{name};")
    said = place.nginx()
    assert said is not None and name in said


# A mistake at a reload is told, and ends nothing


def test_a_reload_survives_a_wrong_audit_file(nginx, app):
    # Root cause: the file was looked at after nginx had taken the new
    # configuration over, where an error ends the master.
    right = "location / { integrity on; integrity_action order.create;" \
            "proxy_pass http://%%APP%%; }"
    server = nginx(http=POLICY, server=right, APP=app)
    for target in ("/dev/null", "%%DIR%%"):
        server.configure(server=f"integrity_audit {target};" + right)
        server.refuse_reload(r"integrity_audit: .*is not a regular file")
    text = template.compose(http=POLICY, server=right)
    server.configure(conf=text + "\nerror_log %%AUDIT%%;\n")
    status, said = server.test()
    assert status == 1 and "is written by another log too" in said
    server.declare(log=[r"\[emerg\] .*is written by another log too"],
                   audit_checked=False)
    server.reload()
    assert server.post("/", headers={"X-Account": "bad"}).status_code == 403


def test_the_smallest_zone_is_enough(nginx, app):
    server = nginx(http=POLICY.replace("integrity:4m", "integrity:1m"),
                   server="location / { integrity on;"
                   "integrity_action order.create; proxy_pass http://%%APP%%; }",
                   APP=app)
    for number in range(300):
        assert server.raw(post_request("/", b"", {
            "X-Account": f"a{number}"})).status == 200
