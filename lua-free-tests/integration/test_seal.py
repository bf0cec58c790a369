"""`integrityctl seal`: the process, on logs that are crafted here."""

import json
import os
import re
import resource
import shutil
import signal
import stat
import subprocess

import pytest

from harness.chain import Chain
from harness.sealing import Seal, new_key, resigned
from harness.settings import CTL, ROOT, wait_until


@pytest.fixture
def seal(folder):
    """A factory: seal(logs…) of the test's folder, ended after it."""
    made = []

    def make(*logs, **arguments):
        made.append(Seal(folder, *(logs or [folder / "audit.log"]),
                         **arguments))
        return made[-1]

    yield make
    for one in made:
        one.kill()


def add(path, *lines):
    with open(path, "ab") as file:
        file.write(b"".join(lines))


def outcomes(chain, count):
    return [chain.outcome() for _ in range(count)]


# -- keys -------------------------------------------------------------------

def test_a_new_key(folder):
    key = folder / "seal.key"
    old = os.umask(0)
    try:
        new_key(key)
    finally:
        os.umask(old)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    public = folder / "seal.key.pub"
    assert stat.S_IMODE(public.stat().st_mode) == 0o644
    done = subprocess.run(["openssl", "pkey", "-in", key, "-pubout"],
                          capture_output=True, timeout=30, check=True)
    assert done.stdout == public.read_bytes()
    done = subprocess.run([CTL, "keys", "seal", key], capture_output=True,
                          text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert f'"{key}" exists; it is not overwritten' in done.stderr
    key.unlink()
    done = subprocess.run([CTL, "keys", "seal", key], capture_output=True,
                          text=True, timeout=30, check=False)
    assert done.returncode == 2 and not key.exists()
    assert f'"{public}" exists; it is not overwritten' in done.stderr
    public.unlink()
    done = subprocess.run([CTL, "keys", "seal", "--json", key], check=True,
                          capture_output=True, timeout=30)
    told = json.loads(done.stdout)
    assert told == {"created": True, "key": told["key"], "private": str(key),
                    "public": str(public)}
    assert re.fullmatch("[0-9a-f]{16}", told["key"])


def test_a_key_of_openssl_and_other_files(folder, seal):
    log = folder / "audit.log"
    add(log, *Chain().whole())
    key = folder / "other.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out",
                    key], check=True, timeout=30)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out",
                    f"{key}.pub"], check=True, timeout=30)
    key.chmod(0o640)
    one = seal(key=key)
    assert one.once() == (0, "")
    assert one.verify(log)[0] == 0

    key.chmod(0o644)
    code, said = one.once()
    assert code == 2 and "can be read by others: its mode is 0644" in said
    key.chmod(0o600)
    assert one.verify(log, key=key)[0] == 2
    assert "a private key: the public one is wanted" in one.verify(
        log, key=key)[1]
    key.write_text("k1:c2VjcmV0\n")
    code, said = one.once()
    assert code == 2 and "no Ed25519 private key in PEM" in said
    assert "c2Vj" not in said


def test_the_signature_is_one_openssl_checks(folder, seal):
    add(folder / "audit.log", *Chain().whole())
    one = seal()
    one.once()
    line = one.path.read_bytes()
    body, sig = line.split(b',"sig":"')
    (folder / "body").write_bytes(body)
    (folder / "sig").write_bytes(bytes.fromhex(sig.decode()[:128]))
    subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey",
                    one.public, "-rawin", "-in", folder / "body", "-sigfile",
                    folder / "sig"], check=True, timeout=30,
                   stdout=subprocess.DEVNULL)


# -- a life -----------------------------------------------------------------

def test_from_no_log_to_sigterm(folder, seal):
    log = folder / "audit.log"
    one = seal(options=("--heartbeat", "200ms")).start()
    wait_until(lambda: len(one.lines()) >= 3, what="heartbeats")
    assert f'"{log}" does not exist yet; waiting for it' in one.said
    assert [line["why"] for line in one.lines()[:3]] \
        == ["start", "heartbeat", "heartbeat"]

    chain = Chain()
    add(log, chain.open(), *outcomes(chain, 5))
    one.wait_for(6)
    whole = chain.outcome()
    add(log, whole[:40])
    add(log, whole[40:])
    one.wait_for(7)
    add(log, chain.close())
    assert one.stop() == 0
    last = one.lines()[-1]
    assert last["why"] == "stop" and one.sealed() == {chain.id: 8}
    assert [line["number"] for line in one.lines()] \
        == list(range(1, last["number"] + 1))
    assert one.said.count("\n") == 1 and one.findings() == []
    code, said = one.verify(log)
    assert code == 0 and "; 0 lines after it" in said, said


def test_a_checkpoint_of_every_so_many_lines(folder, seal):
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open(), *outcomes(chain, 5000), chain.close())
    one = seal(options=("--lines", "1000"))
    assert one.once()[0] == 0
    steps = [log["chain"][0]["seq"] for line in one.lines()
             for log in line["log"]]
    assert len(steps) == 5 and steps[-1] == 5002
    assert max(b - a for a, b in zip([0] + steps, steps)) < 1200


def test_rotations_while_it_runs(folder, seal):
    """Workers go to the new file one after another."""
    log = folder / "audit.log"
    one, two = Chain("edge-1/0"), Chain("edge-1/1")
    add(log, one.open(), two.open())
    process = seal().start()
    process.wait_for(2)
    for number in range(1, 4):
        moved = folder / f"audit.log.{number}"
        log.rename(moved)
        add(moved, one.outcome(), one.segment_end(), two.outcome())
        add(log, one.segment_start(), one.outcome())
        process.wait_for(2 + (number - 1) * 7 + 5)
        add(moved, two.segment_end())
        add(log, two.segment_start())
        process.wait_for(2 + number * 7)
    add(log, one.close(), two.close())
    assert process.stop() == 0
    assert process.findings() == [] and process.said == ""
    entries = [entry for line in process.lines() for entry in line["log"]]
    assert {entry["segment"] for entry in entries} == {1, 2, 3, 4}
    assert {entry["segment"] for entry in entries if entry.get("done")} \
        == {1, 2, 3}
    code, said = process.verify(log, *folder.glob("audit.log.*"))
    assert code == 0 and "; 0 lines after it" in said, said
    code, said = process.verify(log, folder / "audit.log.1")
    assert code == 4 and "segment 2 of " in said and "segment 3 of " in said


def test_several_logs(folder, seal):
    logs = [folder / "one.log", folder / "two.log"]
    chains = [Chain("edge-1/0"), Chain("edge-1/0")]
    for log, chain in zip(logs, chains):
        add(log, *chain.whole(4))
    one = seal(*logs)
    assert one.once()[0] == 0
    assert one.sealed() == {chain.id: 6 for chain in chains}
    assert one.verify(*logs)[0] == 0
    code, said = one.verify(logs[0])
    assert code == 0 and "two.log is sealed too, but not given" in said
    other = folder / "three.log"
    add(other, *Chain("edge-1/0").whole())
    code, said = one.verify(logs[0], other)
    assert code == 6
    assert f"{other}:1: unsealed: no checkpoint speaks of this file" in said


def test_lines_that_are_sealed_while_verify_reads(folder, seal):
    """What it has read before is not accused of lacking them."""
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open(), *outcomes(chain, 2000))
    one = seal()
    one.once()
    add(one.path, b"\n" * 600000)       # the end is not read with the start
    begin = log.read_bytes()
    with subprocess.Popen([CTL, "verify", "--checkpoints", one.path, "--key",
                           one.public, "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        process.stdin.write(begin)      # more than a pipe holds: it reads
        add(log, *outcomes(chain, 5))
        assert one.once()[0] == 0 and one.sealed() == {chain.id: 2006}
        said, _ = process.communicate(b"", timeout=60)
    assert process.returncode == 0, said
    assert b"up to checkpoint 2 of" in said, said   # of 1000 lines and 1001


def test_json_of_what_is_not_sealed(folder, seal):
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open())
    one = seal()
    one.once()
    add(log, *outcomes(chain, 2))
    done = json.loads(one.verify("--json", log)[1])
    assert done["exit"] == 0
    assert done["checkpoints"] == {
        "count": 1, "origin": "edge-1", "last": 1,
        "time": one.lines()[0]["time"], "unsealed": 2,
        "from": "2026-11-23T12:00:02.000Z", "to": "2026-11-23T12:00:03.000Z"}
    add(log, chain.line("outcome", time="2036-11-23T12:00:00.000Z"))
    done = json.loads(one.verify("--json", log)[1])
    kinds = [finding["kind"] for finding in done["findings"]]
    assert done["exit"] == 6 and "unsealed" in kinds    # years after it


# -- restarts ---------------------------------------------------------------

def test_a_restart_with_rotations_meanwhile(folder, seal):
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open(), *outcomes(chain, 3))
    one = seal()
    assert one.once()[0] == 0
    for number in range(1, 21):
        add(log, chain.outcome(), chain.segment_end())
        log.rename(folder / f"audit.log.{number}")
        add(log, chain.segment_start(), chain.outcome())
    for _ in range(2):
        assert one.once() == (0, "")
    assert one.findings() == [] and one.sealed() == {chain.id: chain.seq}
    code, said = one.verify(log, *folder.glob("audit.log.*"))
    assert code == 0, said


def test_segments_that_were_compressed_meanwhile(folder, seal):
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open(), *outcomes(chain, 3))
    one = seal()
    one.once()
    add(log, chain.outcome(), chain.segment_end())
    subprocess.run(["gzip", log], check=True, timeout=30)
    add(log, chain.segment_start(), chain.outcome())
    code, said = one.once()
    assert code == 0 and "segment 1, sealed up to byte " in said
    assert "lines 5 to 6 of chain" in said
    code, said = one.verify(log, f"{log}.gz")
    assert code == 0 and "the sealing process found: " in said, said


def cut_and_go_on(folder, chain, lines):
    (folder / "audit.log").write_bytes(b"".join(lines[:3]))
    add(folder / "audit.log", *outcomes(chain, 9))
    return "stands where others were sealed"


def cut(folder, chain, lines):
    (folder / "audit.log").write_bytes(b"".join(lines[:3]))
    return "it was cut short"


def rewrite(folder, chain, lines):
    text = b"".join(lines).replace(b":201", b":200", 1)
    (folder / "audit.log").write_bytes(text)
    return "this line was changed"


def rebuild(folder, chain, lines):
    other = Chain()
    other.id, other.clock = chain.id, 100
    add(folder / "new", other.open(), *outcomes(other, 20))
    (folder / "new").rename(folder / "audit.log")
    return "a sealed past was exchanged"


@pytest.mark.parametrize("deed", [cut_and_go_on, cut, rewrite, rebuild])
def test_a_past_that_is_not_what_was_sealed(folder, seal, deed):
    log, chain = folder / "audit.log", Chain()
    lines = [chain.open(), *outcomes(chain, 9)]
    add(log, *lines)
    one = seal()
    one.once()
    words = deed(folder, chain, lines)
    code, said = one.once()
    assert code == 4 and words in said and "this is not sealed over" in said
    told = len(one.findings())
    assert words in one.findings()[-1]
    assert one.once()[0] == 4
    assert len(one.findings()) == told  # the same is told once
    code, said = one.verify(log)
    assert code == 4 and "the sealing process found: " in said


def test_a_log_cut_while_it_is_followed(folder, seal):
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open(), *outcomes(chain, 9))
    one = seal().start()
    one.wait_for(10)
    os.truncate(log, 0)
    wait_until(one.findings, what="a finding")
    add(log, *outcomes(chain, 3))
    one.wait_for(13)
    assert one.stop() == 0
    assert len(one.findings()) == 1
    assert "was cut from" in one.findings()[0]
    code, said = one.verify(log)
    assert code == 4 and "by copytruncate or by somebody" in said


def test_what_is_wrong_before_it_is_sealed(folder, seal):
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open(), chain.outcome().replace(b":201", b":200"),
        chain.outcome(), b"hello\n", chain.outcome())
    one = seal()
    for _ in range(2):
        assert one.once()[0] == 0
        assert one.findings() == [
            f"segment 1, line 2: this line was changed: its hash is not that"
            f" of its text ({chain.id})",
            "segment 1: 1 line of no chain within lines 1 to 5"]
    assert one.verify(log)[0] == 4


def test_a_death_while_it_wrote(folder, seal):
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open())
    one = seal()
    one.once()
    whole = one.path.read_bytes()
    add(one.path, whole[:100])
    add(log, chain.outcome())
    assert one.once() == (0, "")
    code, said = one.verify(log)
    assert code == 0
    assert f"{one.path}:2: note: a line after checkpoint 1 is no" in said
    one.path.write_bytes(whole[:-1])    # only the newline is missing
    assert one.once() == (0, "")
    assert [line["number"] for line in one.lines()] == [1, 2]
    assert one.verify(log)[0] == 0


@pytest.mark.parametrize("damage", ["remove", "edit", "forge"])
def test_checkpoints_that_were_changed_are_not_continued(folder, seal,
                                                         damage):
    log, chain = folder / "audit.log", Chain()
    one = seal()
    for _ in range(3):
        add(log, *outcomes(chain, 1) if chain.seq else [chain.open()])
        one.once()
    lines = one.path.read_bytes().splitlines(keepends=True)
    if damage == "remove":
        del lines[1]
    elif damage == "edit":
        lines[1] = lines[1].replace(b'"lines":2', b'"lines":1')
    else:
        lines = resigned(new_key(folder / "other.key"), lines)
    one.path.write_bytes(b"".join(lines))
    code, said = one.once()
    assert code == (1 if damage == "forge" else 4)
    assert "nothing is added to it" in said or "is signed with key" in said
    assert one.path.read_bytes() == b"".join(lines)


def test_a_clock_that_was_set_back(folder, seal):
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open())
    one = seal()
    one.once()
    line = one.lines()[0]
    later = {**line, "time": "2099-01-01T00:00:00.000Z"}
    one.path.write_bytes(b"".join(resigned(one.key, [json.dumps(
        later, separators=(",", ":")).encode()])))
    add(log, chain.outcome())
    assert one.once() == (0, "")
    code, said = one.verify(log)
    assert code == 0 and "the clock went back before checkpoint 2" in said


# -- who may ----------------------------------------------------------------

def test_two_processes(folder, seal):
    add(folder / "audit.log", Chain().open())
    one = seal().start()
    one.wait_for(1)
    before = one.path.read_bytes()
    code, said = one.once()
    assert code == 1 and f'another process seals into "{one.path}"' in said
    assert one.path.read_bytes().startswith(before)
    assert one.stop() == 0


def test_another_origin(folder, seal):
    add(folder / "audit.log", Chain().open())
    one = seal()
    one.once()
    code, said = one.once("--origin=edge-2")
    assert code == 1 and 'is of origin "edge-1", not of "edge-2"' in said


def test_a_new_key_is_introduced_by_the_old_one(folder, seal):
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open())
    old = seal()
    old.once()
    newer = new_key(folder / "newer.key")
    one = seal(key=newer)
    add(log, chain.outcome())
    code, said = one.once()
    assert code == 1 and "--old-key FILE lets that one introduce it" in said
    for _ in range(2):
        assert one.once("--old-key", old.key) == (0, "")
    assert one.once() == (0, "")
    assert [line["kind"] for line in one.lines()].count("key") == 1

    assert old.verify(log)[0] == 0      # follows the introduction
    assert old.verify("--key", one.public, log)[0] == 0
    code, said = one.verify(log)        # the newer one alone: of its beginning
    assert code == 4 and "is signed with key" in said
    code, said = one.verify("--key", old.public, log)
    assert code == 4 and "before the key in force introduced it" in said \
        or "is signed with key" in said

    code, said = old.once()             # the old one seals no more
    assert code == 1 and "has given way to another one" in said
    lines = one.path.read_bytes().splitlines(keepends=True)
    forged = resigned(old.key, [lines[-1]])[0]
    add(one.path, forged)
    code, said = old.verify(log)
    assert code == 4 and "which had given way to another one by then" in said


# -- disks ------------------------------------------------------------------

def test_a_full_disk_where_checkpoints_are_kept(folder, seal):
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open())
    one = seal(options=("--heartbeat", "200ms")).start()
    one.wait_for(1)
    size = one.path.stat().st_size
    resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE,
                     (size + 100, resource.RLIM_INFINITY))
    add(log, *outcomes(chain, 5))
    wait_until(lambda: "cannot write" in one.said, what="a complaint")
    wait_until(lambda: one.path.stat().st_size == size + 100,
               what="a torn line")
    add(log, *outcomes(chain, 5))
    resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_until(lambda: "is written again" in one.said, what="an end of it")
    add(log, chain.close())
    assert one.stop() == 0
    assert one.said.count("cannot write") == 1
    code, said = one.verify(log)
    assert code == 0 and "; 0 lines after it" in said, said


def test_a_log_that_cannot_be_read(folder, seal):
    log = folder / "audit.log"
    log.mkdir()
    one = seal().start()
    wait_until(lambda: "cannot read" in one.said, what="a complaint")
    assert f'cannot read "{log}": Is a directory; trying on' in one.said
    log.rmdir()
    add(log, Chain().open())
    one.wait_for(1)
    assert one.stop() == 0
    assert one.said.count("cannot read") == 1


def test_places_that_are_no_files(folder, seal):
    one = seal()
    one.path.mkdir()
    code, said = one.once()
    assert code == 2 and f'cannot open "{one.path}": Is a directory' in said
    assert one.once("--checkpoints=/dev/null")[0] == 2


# -- arguments --------------------------------------------------------------

@pytest.mark.parametrize("arguments, words", [
    ((), "no --key"),
    (("--key",), "--key needs a value"),
    (("--every=1h1", "x"), "expected a time of at"),
    (("--every", "1ms", "x"), "expected a time of at"),
    (("--lines=0", "x"), "expected 1 to"),
    (("--origin=a/b", "x"), "expected 1 to 63"),
    (("--nonsense=1", "x"), 'unknown option "--nonsense'),
])
def test_usage(arguments, words):
    done = subprocess.run([CTL, "seal", *arguments], capture_output=True,
                          text=True, timeout=30, check=False)
    assert done.returncode == 2 and words in done.stderr
    assert "Usage: integrityctl seal --key FILE" in done.stderr


def test_help():
    done = subprocess.run([CTL, "seal", "--help"], capture_output=True,
                          text=True, timeout=30, check=True)
    assert max(map(len, done.stdout.splitlines())) <= 80
    for number in (0, 1, 2, 4):
        assert re.search(rf"^  {number}  ", done.stdout, re.M)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals(folder, seal, number):
    add(folder / "audit.log", Chain().open())
    one = seal().start()
    one.wait_for(1)
    one.process.send_signal(number)
    assert one.wait() == 0


def test_what_it_writes_is_copied_to_the_output(folder, seal):
    add(folder / "audit.log", *Chain().whole())
    one = seal()
    done = subprocess.run([*map(str, one.command), "--once", "--json"],
                          capture_output=True, timeout=30, check=True)
    assert done.stdout == one.path.read_bytes() != b""


def test_nobody_reads_that_output(folder, seal):
    log, chain = folder / "audit.log", Chain()
    add(log, chain.open())
    one = seal()
    reading, writing = os.pipe()
    with open(folder / "seal.err", "wb") as stderr:
        one.process = subprocess.Popen([*map(str, one.command), "--json"],
                                       stdout=writing, stderr=stderr)
    os.close(writing)
    one.wait_for(1)
    os.close(reading)
    add(log, chain.outcome())
    one.wait_for(2)
    add(log, chain.outcome())
    one.wait_for(3)
    assert one.said.count("cannot write to standard output") == 1
    one.stop()


def test_the_unit_of_systemd_starts_what_there_is(folder, seal):
    unit = (ROOT / "conf/nginx-integrity-seal.service").read_text()
    start = re.search(r"^ExecStart=((?:.*\\\n)*.*)$", unit, re.M).group(1)
    words = start.replace("\\\n", " ").split()
    assert words[0] == "/usr/bin/integrityctl"
    one = seal()
    add(folder / "audit.log", *Chain().whole())
    places = {"${CREDENTIALS_DIRECTORY}/seal.key": one.key,
              "/var/lib/nginx-integrity-seal/checkpoints": one.path,
              "/var/log/nginx/integrity/audit.log": folder / "audit.log"}
    assert set(places) <= set(words)
    done = subprocess.run(
        [CTL, *(str(places.get(word, word)) for word in words[1:]), "--once"],
        capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    if shutil.which("systemd-analyze"):
        copy = folder / "nginx-integrity-seal.service"
        copy.write_text(unit.replace(words[0], str(CTL)))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy],
                              capture_output=True, text=True, timeout=60,
                              check=False)
        assert (done.returncode, done.stderr) == (0, "")
