"""`integrityctl log`: searching and following the audit log."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from desk_place import call, shop
from harness import oracles
from harness.chain import Chain
from harness.desk import ctl, lines
from harness.settings import CTL, ROOT, wait_until
from harness.template import write_secret

sys.path.insert(0, str(ROOT / "lua-free-tests" / "bench"))
import audit_log  # noqa: E402


@pytest.fixture
def log(folder):
    """A log of 3000 lines of four workers."""
    path = folder / "audit.log"
    path.write_text("".join(audit_log.lines(3000, workers=4)))
    return path


def written(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


# Order, files

def test_all_lines_in_the_order_of_time(log):
    raw = log.read_text().splitlines()
    code, out, err = ctl("log", "--json", log)
    assert (code, err) == (0, "")
    shown = out.splitlines()
    assert sorted(shown) == sorted(raw) and shown != raw
    times = [json.loads(line)["time"] for line in shown]
    assert times == sorted(times)


def test_the_log_of_these_tests_is_one_of_ours(log):
    assert oracles.verify_problems([log], (0,)) == []
    assert oracles.schema_problems(log.read_bytes()) == []


def test_rotated_gzip_and_standard_input_make_one_stream(log, folder):
    raw = log.read_bytes().splitlines(keepends=True)
    (folder / "b").write_bytes(b"".join(raw[2000:]))
    (folder / "c.gz").write_bytes(gzip.compress(b"".join(raw[:900]))
                                  + gzip.compress(b"".join(raw[900:1000])))
    code, out, err = ctl("log", "--json", folder / "b", "-", folder / "c.gz",
                         stdin=b"".join(raw[1000:2000]))
    assert (code, err) == (0, "")
    whole = ctl("log", "--json", log)[1]
    assert sorted(out.splitlines()) == sorted(whole.splitlines())
    times = [json.loads(line)["time"] for line in out.splitlines()]
    assert times == sorted(times)


def test_memory_does_not_grow_with_the_log(log, folder):
    many = folder / "many.log"
    with open(many, "w", encoding="ascii") as out:
        out.writelines(audit_log.lines(60000))

    def peak(path):
        done = subprocess.run(
            [sys.executable, "-c",
             "import resource, subprocess, sys\n"
             "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
             str(CTL), "log", "--json", str(path)], capture_output=True,
            text=True, timeout=60, check=True)
        return int(done.stdout)

    if os.environ.get("IG_SANITIZED") == "1":
        pytest.skip("a sanitizer keeps what was freed")
    # 4096 lines wait in a file's window; 60,000 would be 30 MB
    assert peak(many) < peak(log) + 8 * 1024


def test_damaged_lines_are_told_and_left_out(log, folder):
    raw = log.read_bytes().splitlines(keepends=True)
    bad = folder / "bad.log"
    bad.write_bytes(raw[0] + b"rubbish\n" + raw[1][:300] + b"\n" + b"\n"
                    + raw[2] + b'{"kind":1}\n' + raw[3][:-1])
    code, out, err = ctl("log", bad)
    assert code == 0 and len(out.splitlines()) == 3
    assert f"{bad}:2: is no JSON object" in err
    assert f"{bad}:3: is no JSON object" in err
    assert f"{bad}:6: is no line of an audit log" in err
    assert "3 damaged lines were left out" in err


def test_a_file_that_cannot_be_read(log, folder):
    code, out, err = ctl("log", folder / "none")
    assert (code, out) == (2, "") and "No such file" in err
    code, out, err = ctl("log", folder)
    assert (code, out) == (2, "") and "is a folder" in err
    cut = folder / "cut.gz"
    cut.write_bytes(gzip.compress(log.read_bytes())[:20000])
    code, out, err = ctl("log", "--count", cut)
    assert code == 2 and int(out) > 10
    assert "ends within compressed data" in err
    assert ctl("log", "-", "-", stdin=b"")[0] == 2


def test_the_empty_case(folder):
    empty = folder / "empty.log"
    empty.write_bytes(b"")
    assert ctl("log", empty) == (1, "", "")
    assert ctl("log", "--count", empty) == (1, "0\n", "")


# Filters, each against what Python finds

FILTERS = [
    (["--decision", "hold"],
     lambda e: e.get("decision") == "hold"),
    (["--decision", "hold+"],
     lambda e: e.get("decision") in ("hold", "throttle", "deny")),
    (["--decision=allow,throttle"],
     lambda e: e.get("decision") in ("allow", "throttle")),
    (["--would", "throttle+"], lambda e: e.get("decision") == "throttle"),
    (["--action", "review.create"], lambda e: "action" in e),
    (["--action", "review.*"], lambda e: "action" in e),
    (["--action", "review"], lambda e: False),
    (["--action", "*"], lambda e: "action" in e),
    (["--rule", "device_farm"],
     lambda e: "device_farm" in str(e.get("rule"))),
    (["--rule=too_*"], lambda e: "too_fast" in str(e.get("rule"))),
    (["--kind", "outcome,policy"],
     lambda e: e["kind"] in ("outcome", "policy")),
    (["--since", "2026-11-23T12:00:01Z", "--until=2026-11-23T12:00:02Z"],
     lambda e: "12:00:01" in e["time"]),
    (["--since", "2026-11-23T12:00:01"],
     lambda e: e["time"] >= "2026-11-23T12:00:01"),
    (["--until", "2026-11-23T20:00:01+08:00"],
     lambda e: e["time"] < "2026-11-23T12:00:01"),
    (["--since", "2026-11-24"], lambda e: False),
    (["--node", "edge-1"], lambda e: e["chain"].startswith("edge-1/")),
    (["--chain", "edge-1/2/*"], lambda e: e["chain"].startswith("edge-1/2/")),
    (["--field", "rating=5"], lambda e: e.get("field", {}).get("rating") == 5),
    (["--field", "rating=5.0"],
     lambda e: e.get("field", {}).get("rating") == 5),
    (["--field=rating=5", "--field", "rating=4"],
     lambda e: e.get("field", {}).get("rating") in (4, 5)),
    (["--field", "rating=5", "--field", "merchant=m-42"],
     lambda e: e.get("field", {}).get("rating") == 5
     and e["field"]["merchant"] == "m-42"),
]


@pytest.mark.parametrize("options, wanted", FILTERS,
                         ids=[" ".join(case[0]) for case in FILTERS])
def test_filters(log, options, wanted):
    expected = [event for event in written(log) if wanted(event)]
    found = lines("log", "--json", *options, log, code=0 if expected else 1)
    assert sorted(map(str, found)) == sorted(map(str, expected))
    # lines that somebody wrote anew are read too, only slower
    other = log.with_name("spaced.log")
    other.write_text("".join(json.dumps(event) + "\n"
                             for event in written(log)[:500]))
    assert int(ctl("log", "--count", *options, other)[1]) == len(
        [event for event in written(other) if wanted(event)])


def test_an_event_and_the_last_lines(log):
    event = written(log)[1500]["event"]
    found = lines("log", "--json", "--event", event, log)
    assert [line["kind"] for line in found] == ["decision", "outcome"]
    whole = ctl("log", "--json", log)[1].splitlines()
    assert ctl("log", "--json", "-n", "5", log)[1].splitlines() == whole[-5:]
    assert ctl("log", "--json", "--lines=0", log)[1] == ""


def test_relative_times(folder):
    path = folder / "now.log"
    chain = Chain()
    now = subprocess.run(["date", "-u", "+%Y-%m-%dT%H:%M:%S.000Z"],
                         capture_output=True, text=True, check=True)
    old = chain.outcome()
    new = chain.outcome().decode()
    stamp = json.loads(new)["time"]
    path.write_bytes(old + new.replace(stamp, now.stdout.strip()).encode())
    assert ctl("log", "--count", "--since", "10m", path)[1] == "1\n"
    assert ctl("log", "--count", "--until", "now", path)[1] in ("1\n", "2\n")
    assert ctl("log", "--count", "--since", "yesterday", path)[1] in (
        "1\n", "2\n")


@pytest.mark.parametrize("options, said", [
    ([], "no file"),
    (["--since", "2026-13-01", "x"], '"2026-13-01" is no time'),
    (["--since", "12", "x"], '"12" is no time'),
    (["--since", "1d", "--until", "2d", "x"], "not later than --since"),
    (["--decision", "block", "x"], '"block" is no decision'),
    (["--kind", "decisions", "x"], 'is called "decisions"'),
    (["--field", "account", "x"], '"account" is not NAME=VALUE'),
    (["--rule", "a,,b", "x"], "a name is empty"),
    (["--lines", "-3", "x"], "is no number"),
    (["--colour", "x"], 'unknown option "--colour"'),
    (["--json=yes", "x"], "--json takes no value"),
    (["x", "--rule"], "--rule needs a value"),
    (["--secret", "a", "--secret", "b", "x"], "given twice"),
    (["-f", "--count", "x"], "--follow never comes to an end"),
    (["-f", "-"], "standard input cannot be followed"),
])
def test_bad_arguments_are_named(options, said):
    code, out, err = ctl("log", *options)
    assert (code, out) == (2, "") and said in err


# What nginx wrote

def test_clear_values_find_pseudonyms_of_every_key(nginx, app):
    server = shop(nginx, app)
    call(server, account="ann", network="192.0.2.7", merchant="m-1")
    call(server, account="bob", network="192.0.2.200", merchant="m-2")
    call(server, account="bob", network="198.51.100.1", merchant="m-2")
    server.wait_audit(3)
    # the key rotates: the old one stays readable
    write_secret(server.secret_path, ids=("k2", "k1"))
    server.reload()
    call(server, account="ann", network="192.0.2.9", merchant="m-3")
    server.wait_audit(4)
    assert {e["field"]["account"].split(":")[1]
            for e in server.audit_lines("decision")} == {"k1", "k2"}

    def count(*options):
        return int(ctl("log", "--count", *options, server.audit_path)[1])

    key = ["--secret", server.secret_path]
    conf = ["-c", server.conf_path]
    assert count("--field", "account=ann", *key) == 2
    assert count("--field", "account=ann", *conf) == 2
    assert count("--field", "network=192.0.2.77", *conf) == 3
    assert count("--field", "network=192.0.2.0/24", *key) == 3
    assert count("--field", "account=bob", "--field", "network=192.0.2.1",
                 *conf) == 1
    pseudonym = server.audit_lines("decision")[0]["field"]["account"]
    assert count("--field", f"account={pseudonym}") == 1

    # without the secret it is said why nothing is found
    code, out, err = ctl("log", "--field", "account=ann", server.audit_path)
    assert (code, out) == (1, "")
    assert 'pseudonyms of "account"; --secret' in err
    bad = server.dir / "bad.conf"
    bad.write_text("integrity_field account;")
    code, out, err = ctl("log", "--field", "account=ann", "-c", bad,
                         server.audit_path)
    assert (code, out) == (2, "") and "bad.conf:1" in err
    code, out, err = ctl("log", "--field", "acount=ann", *conf,
                         server.audit_path)
    assert code == 1 and 'has no field "acount"' in err
    code, out, err = ctl("log", "--field", "account=ann", "--secret",
                         server.conf_path, server.audit_path)
    assert (code, out) == (2, "") and "nginx.conf" in err


def test_a_line_for_people_cannot_talk_to_the_terminal(nginx, app):
    server = shop(nginx, app)
    call(server, account="ann", merchant="m-1\x9b2J\u202e\u200b\ufeff",
         rating=5)
    server.wait_audit(1)
    code, out, err = ctl("log", "--kind", "decision", server.audit_path)
    assert (code, err) == (0, "")
    assert re.fullmatch(
        r"\S+Z [0-9A-Z]{26} allow    review\.create by praise score 30 "
        r"account=p:k1:\S+ merchant=m-1\\xc2\\x9b2J\\xe2\\x80\\xae"
        r"\\xe2\\x80\\x8b\\xef\\xbb\\xbf rating=5\n", out)
    assert out.isascii()


def test_every_kind_for_people(nginx, app):
    server = shop(nginx, app)
    call(server, account="ann", rating=1)
    call(server, action="No Such", account="ann")
    assert ctl("list", "add", "banned", "account=bob", "--for", "1h",
               "--reason", "a ring", "--by", "ada", "--socket",
               f"unix:{server.dir}/control.sock")[0] == 0
    server.wait_audit(1, kind="outcome")
    server.quit()
    code, out, err = ctl("log", server.audit_path)
    assert (code, err) == (0, "")
    for kind in ("chain_open policy", "policy policy", "outcome  200",
                 "list     add banned account=p:k1:", "by ada because: a ring",
                 "chain_close chain", "unclassified method POST path /"):
        assert kind in out
    assert len(out.splitlines()) == len(server.audit_lines())


# Following

class Follower:
    """`integrityctl log -f`; its lines so far."""

    def __init__(self, folder, *arguments):
        self.out = folder / "follow.out"
        self.err = folder / "follow.err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [str(CTL), "log", "-f", "--json", *map(str, arguments)],
                stdout=out, stderr=err)

    def lines(self):
        return self.out.read_text().splitlines()

    def wait(self, count):
        wait_until(lambda: len(self.lines()) >= count, 20,
                   f"{count} lines, are {len(self.lines())}")

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


@pytest.fixture
def follow(folder):
    started = []

    def make(*arguments):
        started.append(Follower(folder, *arguments))
        return started[-1]

    yield make
    for follower in started:
        follower.end()


def test_following_survives_rotation(nginx, app, follow):
    server = shop(nginx, app, workers=2)
    call(server, account="ann")
    server.wait_audit(1, kind="outcome")
    follower = follow("--kind", "outcome", server.audit_path)
    follower.wait(1)
    for turn in range(1, 4):
        call(server, account=f"a{turn}")
        follower.wait(2 * turn)     # it knows the file of this turn
        moved = server.dir / f"audit.log.{turn}"
        server.audit_path.rename(moved)
        # until USR1 nginx writes on to the old file
        call(server, account=f"b{turn}")
        follower.wait(2 * turn + 1)
        server.reopen(moved)
    call(server, account="last")
    follower.wait(8)
    follower.end()
    assert sorted(json.loads(line)["event"] for line in follower.lines()) \
        == sorted(line["event"] for line in server.audit_lines("outcome"))
    assert follower.err.read_text() == ""


def test_following_reads_on_in_a_renamed_file(log, folder, follow):
    raw = log.read_bytes().splitlines(keepends=True)
    path, old = folder / "live.log", folder / "live.log.1"
    path.write_bytes(b"".join(raw[:6]))
    follower = follow("-n", "1", path)
    follower.wait(1)
    path.rename(old)
    path.write_bytes(raw[6])
    follower.wait(2)
    # a worker that has not heard of USR1 yet
    with open(old, "ab") as out:
        out.write(raw[7])
    follower.wait(3)
    with open(path, "ab") as out:
        out.write(raw[8])
    follower.wait(4)
    follower.end()
    # the last of the first six by their time, then all as they came
    assert follower.lines()[1:] == [line.decode().rstrip("\n")
                                    for line in raw[6:9]]
    assert follower.err.read_text() == ""


def test_following_tells_a_cut_and_half_lines(log, folder, follow):
    raw = log.read_bytes().splitlines(keepends=True)
    path = folder / "live.log"
    path.write_bytes(b"".join(raw[:50]) + raw[50][:100])
    follower = follow("-n", "3", path)
    follower.wait(3)
    with open(path, "ab") as out:
        out.write(raw[50][100:])
    follower.wait(4)
    with open(path, "r+b") as out:
        out.truncate(0)
    wait_until(lambda: "was cut to 0 bytes" in follower.err.read_text(), 20,
               "the cut to be told")
    with open(path, "ab") as out:
        out.write(raw[51])
    follower.wait(5)
    follower.end()
    assert follower.lines()[3:] == [line.decode().rstrip("\n")
                                    for line in raw[50:52]]
