"""No private value, no text and no secret in anything that is written.

Persons whose every value is unmistakable call in every way there is; then all
that nginx, the module, Redis and integrityctl wrote is searched for them, in
clear and in every form that needs no key to undo. `test_a_leak_is_seen` opens
each of these places once.

Not searched: what nginx's own access log and error log say of request lines
and addresses (the first compares them with those of an nginx without the
module), the memory of workers outside the zone (there the request is), and
core dumps, which hold all of it.
"""

import base64
import hashlib
import json
import re
import subprocess
import time
import urllib.parse

import httpx
import pytest
from redis import Redis as connected

import privacy_place as place
from harness.settings import CTL, ROOT
from harness.sieve import Sieve
from privacy_place import SIEVE, VALUES, WHO, asked, ctl

ACCOUNT = "account=" + VALUES["account"]
DEVICE = "device=" + VALUES["device"]


def backtest(server):
    base = ("backtest", "-c", server.conf_path, server.audit_path)
    return [ctl(*base), ctl(*base, "--json"), ctl(*base, "--explain", 1),
            ctl(*base, "--decisions", server.dir / "decided.jsonl",
                "--candidate", server.conf_path, "--by", "account"),
            (server.dir / "decided.jsonl").read_bytes()]


def check(server):
    wrong = server.dir / "wrong.conf"
    wrong.write_text(server.conf_path.read_text().replace(
        '"banned" ', f'"{server.values["LIST"]} > 1" '))
    return [ctl("check", *more, path, codes=(code,)) for more in ([], ["--json"])
            for path, code in ((server.conf_path, 0), (wrong, 1))]


def dossier(server):
    """By what the log has in place of the account."""
    (line, *_) = server.audit_lines("decision")
    return pages(server, ("dossier", "account", line["field"]["account"],
                          server.audit_path))


def explain(server):
    return [ctl("explain", *more, line["event"], server.audit_path)
            for line in server.audit_lines("decision")[::3]
            + server.audit_lines("list") + server.audit_lines("key")
            for more in ((), ("--json",), ("--public",))]


def export(server):
    return [ctl("export", "--format", *more, server.audit_path) for more in (
        ("ocsf",), ("ocsf", "--actor", "owner", "--source", "network"),
        ("csv",), ("csv", "--column", "field.device", "--column",
                   "counter.hits"),
        ("csv", "--secret", server.secret_path, "--field", ACCOUNT))]


def key(server):
    return [asked(server, "key", verb, *which, *WHO, *form)
            for verb in ("inspect", "reset")
            for which in (("--all", ACCOUNT), ("burst", DEVICE),
                          ("hits", "account=" + VALUES["by_hand"]))
            for form in ((), ("--json",))]


def keys(server):
    """In a copy; its verdict keys are meant to be printed."""
    copy = server.dir / "copy.key"
    made = server.dir / "made.key"
    copy.write_bytes(server.secret_path.read_bytes())
    return [ctl("keys", "new", made),
            ctl("keys", "rotate", copy), ctl("keys", "rotate", copy,
                                             "--store", "--json"),
            ctl("keys", "show", copy, "--log", server.audit_path),
            ctl("keys", "show", copy, "--json", "--log", server.audit_path),
            ctl("keys", "destroy", copy, "k1"),
            ctl("keys", "destroy", copy, "k1", "--yes", "--json"),
            ctl("keys", "verdict", server.secret_path),
            ctl("keys", "verdict", copy, "--json"),
            ctl("keys", "seal", server.dir / "first.pem"),
            ctl("keys", "seal", server.dir / "second.pem", "--json")]


def list_(server):
    return [asked(server, "list", *what) for what in (
        ("add", "banned", "account=" + VALUES["by_hand"], "--for", "1h", *WHO),
        ("show", "banned", "account=" + VALUES["by_hand"]),
        ("show", "banned", ACCOUNT),
        ("remove", "banned", "account=" + VALUES["by_hand"], *WHO),
        ("show", "banned", DEVICE),
        ("show", server.values["LIST"], DEVICE))] + [
            ctl("list", "show", name, "--log", server.audit_path, *more)
            for name in ("banned", server.values["LIST"])
            for more in ((), ("--all", "--json"))]


def load(server):
    """Of a past that has the clear values."""
    past = server.dir / "past.jsonl"
    past.write_text("".join(json.dumps({
        "time": time.time() - 3600 * hour, "action": "order.create",
        "account": VALUES["account"], "device": VALUES["device"],
        "phone": VALUES["phone"], "content": VALUES["content"],
        "status": 201}) + "\n" for hour in range(9, 0, -1)))
    base = ("load", "-c", server.conf_path, *WHO)
    return [asked(server, *base, *more, past, codes=(0,)) for more in (
        ("--dry-run",), ("--dry-run", "--json"), (), ("--json",))]


def log(server):
    base = ("log", server.audit_path)
    found = ("--secret", server.secret_path, "--field", ACCOUNT)
    return [ctl(*base), ctl(*base, "--json"), ctl(*base, *found),
            ctl(*base, *found, "--json"), ctl(*base, *found, "--count")]


def pages(server, base):
    """As text, as JSON, as a page."""
    page = server.dir / "page.html"
    return [ctl(*base), ctl(*base, "--json"), ctl(*base, "--html", page),
            page.read_bytes()]


def recall(server):
    base = ("recall", "fast", ACCOUNT, server.audit_path, "--secret",
            server.secret_path)
    return [ctl(*base, *more) for more in ((), ("--json",), (
        "--dry-run", "--window", "1h"))]


def report(server):
    return pages(server, ("report", server.audit_path))


def seal(server):
    """Its private key is a secret, too."""
    private = server.dir / "private.pem"
    ctl("keys", "seal", private)
    raw = base64.b64decode("".join(private.read_text().splitlines()[1:-1]))
    checkpoints = server.dir / "checkpoints"
    said = [ctl("seal", "--key", private, "--checkpoints", checkpoints,
                "--once", *more, server.audit_path)
            for more in ((), ("--json",))]
    said += [checkpoints.read_bytes(),
             ctl("verify", "--checkpoints", checkpoints, "--key",
                 f"{private}.pub", server.audit_path, codes=range(7))]
    assert not any(Sieve({"seal": raw[-32:]}).find(part) for part in said)
    return said


def verify(server):
    return [ctl("verify", server.audit_path),
            ctl("verify", "--json", "--all", server.audit_path)]


# A subcommand that is not here makes the test fail: give it one call for each
# of its parts and forms.
COMMANDS = {"backtest": backtest, "check": check, "dossier": dossier,
            "explain": explain, "export": export, "key": key, "keys": keys,
            "list": list_, "load": load, "log": log, "recall": recall,
            "report": report, "seal": seal, "verify": verify}

# Of these, every part ("add|remove|show") has to be among the calls.
PARTS = re.compile(r"^Usage: integrityctl \w+ ((?:[a-z]+\|)+[a-z]+) ", re.M)


def subcommands():
    told = subprocess.run([str(CTL), "--help"], capture_output=True, text=True,
                          timeout=60, check=True).stdout
    return set(re.findall(r"^  (\w+) +\S", told, re.M))


def commands():
    return {name: COMMANDS[name] for name in subcommands() & set(COMMANDS)}


def secrets(server, *without):
    return Sieve({name: value for name, value in
                  place.subkeys(server).items() if name not in without})


class Places:
    """Everything that is written, by where; filled as it is looked at."""

    def __init__(self):
        self.found = {}

    def look(self, where, data, *sieves):
        data = [data] if isinstance(data, (bytes, str)) else data
        for part in data:
            for sieve in sieves:
                found = sieve.find(part)
                if found:
                    self.found.setdefault(where, set()).update(found)


def look_everywhere(server, redis, wire):
    """The places where something was found, and what."""
    places = Places()
    both = SIEVE, secrets(server)
    for name, run in commands().items():
        places.look(f"integrityctl {name}", run(server), SIEVE,
                    secrets(server, *(["verdict"] if name == "keys" else [])))
    places.look("audit log", [path.read_bytes()
                              for path in server.audit_paths()], *both)
    places.look("nginx -T", place.configuration(server), *both)
    for form, page in place.status(server).items():
        places.look("status" + form, page, *both)
    for title in server.pids():
        with open(f"/proc/{title}/cmdline", "rb") as line:
            places.look("title", line.read(), *both)
    places.look("zone", place.zone(server), *both)
    if redis is not None:
        places.look("redis", place.redis_content(redis), *both)
        places.look("slowlog", repr(redis.client().slowlog_get(10000)), *both)
        places.look("wire", repr(wire.commands).encode(), *both)
        places.look("wire", b"\0".join(b"\0".join(command)
                                       for command in wire.commands), *both)
    return places.found


@pytest.fixture(params=["embedded", "redis"])
def stores(request, redis, fake_redis):
    """(the line, the server, what stands between it and nginx)."""
    if request.param == "embedded":
        return "", None, None
    server = redis(config=("--rdbcompression", "no",
                           "--slowlog-log-slower-than", "0",
                           "--slowlog-max-len", "10000"))
    wire = fake_redis(upstream=server)
    return f"integrity_redis {wire} timeout=2s;", server, wire


def make(nginx, app, stores, private="private", name="watched", **parts):
    return nginx(http=place.POLICY + stores[0], server=place.PLACES, APP=app,
                 PRIVATE=private, LIST=name, level="debug", **parts)


def test_nothing_private_is_written(nginx, app, stores):
    server = make(nginx, app, stores)
    answers = place.call_all(server)
    assert set(answers) >= {200, 400, 413, 415, 429}
    decided = {line["decision"] for line in server.audit_lines("decision")}
    assert decided >= {"allow", "hold", "throttle", "deny"}
    assert {line["kind"] for line in server.audit_lines()} >= {
        "decision", "outcome", "policy", "unclassified", "chain_open"}

    assert look_everywhere(server, *stores[1:]) == {}

    # what is not private is there, and so is what the application gets
    assert place.MERCHANT in server.audit_path.read_text()
    assert SIEVE.names(app.requests[0].body) == place.IN_BODIES
    (verdict, pseudonym) = (app.requests[0].headers["x-integrity"],
                            app.requests[0].headers["x-pseudonym"])
    assert SIEVE.find(verdict) == SIEVE.find(pseudonym) == set()
    assert pseudonym.count("p:k1:") == 2 and " t:" in pseudonym
    if stores[1] is not None:
        # and what is said when the store is gone
        server.declare(log=[r"\[error\] .*redis"])
        stores[2].stop()
        place.call_all(server)
        assert any(line["evaluation"] == "degraded"
                   for line in server.audit_lines("decision"))
        assert SIEVE.find(server.audit_path.read_bytes()) == set()
    debugged(nginx, app, server)


def debugged(nginx, app, server):
    """The error log at debug: there nginx itself says what requests look like.

    So: of the same calls it says nothing of anybody of whom it would not
    without the module; nothing of bodies; and no line of ours says anything.
    That ours are told by "integrity: " is what the next test is for.
    """
    log = server.error_log
    assert "[debug]" in log
    bare = nginx(module=False, http=place.MAPS, server=place.BARE, APP=app,
                 level="debug")
    place.call_all(bare)
    without = SIEVE.names(bare.error_log)
    assert without >= {"account", "card", "query", "owner"}
    assert SIEVE.names(log) - without == set()
    assert SIEVE.names(log) & place.IN_BODIES == set()
    ours = [line for line in log.splitlines() if "integrity:" in line]
    assert ours and SIEVE.find("\n".join(ours)) == set()
    # the connection's log would add the request line to what we say
    assert not [line for line in ours if ", request: " in line]
    assert secrets(server).find(log) == set()


def test_what_the_module_logs_says_whose_it_is():
    """No debugging of ours, and "integrity: " in front of all else that is
    said while nginx runs; EMERG is of its configuration."""
    calls = []
    for path in sorted((ROOT / "module").glob("*/*.c")):
        text = path.read_text()
        assert "ngx_log_debug" not in text, path
        for call in re.findall(r"\bngx_log_error\s*\(([^;]*?)\);", text):
            if call.startswith("NGX_LOG_EMERG"):
                continue
            calls.append(call)
            assert '"integrity: ' in call, (path, call)
    assert len(calls) > 5


def test_every_subcommand_is_looked_at(nginx, app, monkeypatch):
    """integrityctl --help says what there is to look at."""
    names = subcommands()
    assert names <= set(COMMANDS), "cover it in COMMANDS"

    server = make(nginx, app, ("", None, None))
    place.call_all(server)
    calls = []
    run = subprocess.run

    def spy(command, **options):
        calls.append([str(part) for part in command[1:]])
        return run(command, **options)

    monkeypatch.setattr(place.subprocess, "run", spy)
    for name in sorted(names):
        called = COMMANDS[name]
        calls.clear()
        assert any(called(server)), name
        text = run([str(CTL), name, "--help"], capture_output=True, text=True,
                   timeout=60, check=True).stdout
        used = {call[1] for call in calls if call[0] == name}
        parts = PARTS.search(text)
        assert set(parts.group(1).split("|") if parts else ()) <= used, name
        if "--json" in text:
            assert any("--json" in call for call in calls), name


def test_a_dossier_names_who_was_asked_for_and_nobody_else(nginx, app):
    server = make(nginx, app, ("", None, None))
    place.call_all(server)
    told = pages(server, ("dossier", "account", VALUES["account"], "--secret",
                          server.secret_path, server.audit_path))
    assert [SIEVE.names(part) for part in told] == [
        {"account"}, {"account"}, set(), {"account"}]


def test_answers_of_control(nginx, app, stores):
    server = make(nginx, app, stores)
    places = Places()
    who = {"reason": "r", "by": "b"}
    subject = {"account": VALUES["by_hand"]}
    for question in (
            {"op": "add", "list": "banned", "key": subject, "for": "1h"},
            {"op": "show", "list": "banned", "key": subject},
            {"op": "remove", "list": "banned", "key": subject},
            {"op": "inspect", "counter": "hits", "key": subject},
            {"op": "reset", "all": True, "key": subject},
            {"op": "reset", "counter": "hits",
             "key": {**subject, "device": VALUES["device"]}},
            {"op": "add", "list": "banned", "for": "1h",
             "key": {"account": [VALUES["by_hand"]]}}):
        with httpx.Client(transport=httpx.HTTPTransport(
                uds=f"{server.dir}/control.sock")) as client:
            answer = client.post("http://x/control", json={**question, **who})
        assert answer.content.startswith(b"{")
        places.look("control", answer.content, SIEVE, secrets(server))
    places.look("audit log", server.audit_path.read_bytes(), SIEVE)
    assert server.audit_lines("key") and server.audit_lines("list")
    assert places.found == {}


# -- that all of this can fail ------------------------------------------------

def test_a_leak_is_seen(nginx, app, stores):
    """A set-up that tells, in every place at once."""
    server = make(nginx, app, stores, private="", name="zq7Anna4711kx",
                  start=False)
    text = server.secret_path.read_text().split(":")[1].strip()
    server.secret_path.write_text(f"zq7Mail8155ot:{text}\n")
    server.configure(
        main=f"# {text}\n",
        http=(place.POLICY + stores[0]).replace("edge-1", "zq7Owner7044nu")
        + "integrity_counter zq7Card6933mv key=account window=1h;",
        server=place.PLACES + """
            location = /v1/%%WHO%%/reviews { integrity on;
                proxy_set_header X-Told $integrity_field_device;
                proxy_pass http://%%APP%%; }
        """.replace("%%WHO%%", VALUES["owner"]))
    server.start()
    place.call_all(server)
    pid = server.worker_pids()[0]
    (*_, (begin, end)) = place.shared(pid)
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(end - 64)
        memory.write(b"zq7Anna4711kx")
    if stores[1] is not None:
        stores[1].client().set("told", VALUES["account"])
        with connected(unix_socket_path=str(stores[2].path)) as client:
            client.echo("zq7anna4711kx")
    found = look_everywhere(server, *stores[1:])
    assert set(found) >= {"audit log", "nginx -T", "status",
                          "status?format=prometheus", "zone"}
    assert {name for name, _ in found["nginx -T"]} >= {"key"}
    for name in commands():
        assert f"integrityctl {name}" in found, name
    if stores[1] is not None:
        assert set(found) >= {"redis", "slowlog", "wire"}
    assert "device" in SIEVE.names(server.error_log)


@pytest.mark.parametrize("form", [
    "zq7Anna4711kx", "ZQ7ANNA4711KX",
    "%7a%71%37%41%6e%6e%61%34%37%31%31%6b%78",
    urllib.parse.quote(VALUES["account"]), json.dumps(VALUES["account"]),
    "".join(f"\\u{ord(letter):04X}" for letter in "zq7Anna4711kx"),
    "zq7Anna4711kx".encode().hex(), b"..zq7anna4711kx".hex().upper(),
    *(base64.b64encode(b"x" * shift + VALUES["account"].encode()).decode()
      for shift in range(3)),
    hashlib.sha256(VALUES["account"].encode()).hexdigest(),
    hashlib.md5(b"zq7anna4711kx").hexdigest(),
])
def test_every_form_of_a_value_is_known(form):
    assert SIEVE.names("before " + form + " after") == {"account"}
