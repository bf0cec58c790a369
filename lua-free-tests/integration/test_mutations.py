"""Real logs, changed at random in one place: verify sees every change but those
that plain hashes cannot see, and calls each by its kind.

IG_MUTATIONS=5000 tries so many of each log, IG_MUTATIONS_SEED=N other ones.
"""

import hashlib
import json
import os
import random
import re
import signal
import subprocess
from collections import Counter

import pytest

from harness import settings
from harness.settings import CTL, wait_until
from test_audit_file import place, request

COUNT = int(os.environ.get("IG_MUTATIONS", 30 if settings.SANITIZED else 250))
SEED = int(os.environ.get("IG_MUTATIONS_SEED", "1"))

CLEAN, EXPLAINED, _, TORN, TAMPERED, _ = range(6)


# -- what can be known: the verifier's rules, by another hand ------------------

def chains_of(files):
    """{chain: its lines as they stand, file after file}."""
    chains = {}
    for number, file in enumerate(files):
        for raw in file:
            line = json.loads(raw)
            line["file"] = number
            chains.setdefault(line["chain"], []).append(line)
    # files may be given in any order
    return {chain: by_file(own) for chain, own in chains.items()}


def by_file(own):
    """The lines of a file stay as they are, the files go by their first."""
    first = {line["file"]: line["seq"] for line in reversed(own)}
    return sorted(own, key=lambda line: first[line["file"]])


def follows(one, two):
    return (two["seq"] == one["seq"] + 1 + two.get("dropped", 0)
            and one["kind"] != "chain_close")


def ways(chains):
    """From which file to which chains go: (0, 1) is a rotation."""
    return {(one["file"], two["file"]) for own in chains.values()
            for one, two in zip(own, own[1:]) if one["file"] != two["file"]}


def begins(own, chains):
    """At its beginning, or at that of a file whose forerunner is not here."""
    first = own[0]
    if first["seq"] == 1:
        return True
    return first["kind"] == "segment_start" and not any(
        two["file"] == first["file"] != one["file"]
        and two["kind"] == "segment_start"
        for lines in chains.values() for one, two in zip(lines, lines[1:]))


def agrees(before, chains):
    """Whether what a successor saw can be true."""
    if before is None:
        return True
    if before["chain"] not in chains:
        return not before["written"] or "same_file" not in before
    last = chains[before["chain"]][-1]
    if before["state"] == "closed":
        return last["kind"] == "chain_close" \
            and last["seq"] == before["written"]
    return last["seq"] >= before["written"]


def looks_honest(files):
    """Whether whole lines, as they stand now, contradict nothing."""
    chains = chains_of(files)
    return len(ways(chains)) < 2 and all(begins(own, chains)
               and all(map(follows, own, own[1:]))
               and all(agrees(line.get("before"), chains) for line in own)
               for own in chains.values())


def expected_of_lines(files):
    if looks_honest(files):
        return {CLEAN, EXPLAINED, TORN}
    return {TAMPERED}


# -- mutations: each returns new files and the results that are right ----------

def some_line(pick, files):
    number = pick.choice([n for n, file in enumerate(files) if file])
    return number, pick.randrange(len(files[number]))


def copy_of(files):
    return [list(file) for file in files]


def change_byte(pick, files):
    """Any byte to any other."""
    files = copy_of(files)
    file, at = some_line(pick, files)
    raw = bytearray(files[file][at])
    where = pick.randrange(len(raw))
    was = raw[where]
    raw[where] = pick.choice([byte for byte in range(256) if byte != was])
    files[file][at] = bytes(raw)
    newline_became_zero = where == len(raw) - 1 and raw[where] == 0
    return files, {TAMPERED} | ({TORN} if newline_became_zero else set())


def flip_character(pick, files):
    """A character of the line's text to one that looks right there."""
    files = copy_of(files)
    file, at = some_line(pick, files)
    raw = files[file][at]
    where = pick.choice([match.start() for match in
                         re.finditer(rb"[0-9a-f]", raw)])
    other = pick.choice([bytes([byte]) for byte in b"0123456789abcdef"
                         if byte != raw[where]])
    files[file][at] = raw[:where] + other + raw[where + 1:]
    return files, {TAMPERED}


def remove_byte(pick, files):
    files = copy_of(files)
    file, at = some_line(pick, files)
    raw = files[file][at]
    where = pick.randrange(len(raw) - 1)
    files[file][at] = raw[:where] + raw[where + 1:]
    return files, {TAMPERED}


def insert_byte(pick, files):
    """Within a line; a blank one between lines is nothing."""
    files = copy_of(files)
    file, at = some_line(pick, files)
    raw = files[file][at]
    where = pick.randrange(1, len(raw) - 1)
    byte = bytes([pick.randrange(256)])
    files[file][at] = raw[:where] + byte + raw[where:]
    return files, {TAMPERED}


def remove_newline(pick, files):
    """As of a write that ended just before it."""
    files = copy_of(files)
    file, at = some_line(pick, files)
    files[file][at] = files[file][at][:-1]
    return files, {CLEAN, TORN} if at == len(files[file]) - 1 \
        else {TORN, TAMPERED}


def remove_lines(pick, files):
    files = copy_of(files)
    file, at = some_line(pick, files)
    del files[file][at:at + pick.choice([1, 1, 1, 2, 5, 20])]
    return files, expected_of_lines(files)


def remove_of_chain(pick, files):
    """Lines of one chain alone, from somewhere on, in one file or in all."""
    file, at = some_line(pick, files)
    chain = json.loads(files[file][at])["chain"]
    only = pick.choice([None, file])
    fate = pick.choice(["all", "from here", "up to here"])

    def stays(number, place, raw):
        here = (number, place) >= (file, at)
        return (json.loads(raw)["chain"] != chain
                or only not in (None, number)
                or (fate == "from here" and not here)
                or (fate == "up to here" and here))

    files = [[raw for place, raw in enumerate(own)
              if stays(number, place, raw)]
             for number, own in enumerate(files)]
    return files, expected_of_lines(files)


def repeat_lines(pick, files):
    files = copy_of(files)
    file, at = some_line(pick, files)
    block = files[file][at:at + pick.choice([1, 1, 3, 10])]
    to, where = some_line(pick, files)
    files[to][where:where] = block
    return files, {TAMPERED}


def swap_lines(pick, files):
    files = copy_of(files)
    (one, here), (two, there) = some_line(pick, files), some_line(pick, files)
    files[one][here], files[two][there] = files[two][there], files[one][here]
    return files, expected_of_lines(files)


def move_lines(pick, files):
    files = copy_of(files)
    file, at = some_line(pick, files)
    size = pick.choice([1, 3, 10])
    block = files[file][at:at + size]
    del files[file][at:at + size]
    to, where = some_line(pick, files)
    files[to][where:where] = block
    return files, expected_of_lines(files)


def swap_chains(pick, files):
    """What one chain wrote is said to be the other's."""
    one, two = (name.encode() for name in
                pick.sample(sorted(chains_of(files)), 2))

    def swapped(raw):
        return re.sub(b"|".join(map(re.escape, (one, two))),
                      lambda match: two if match[0] == one else one, raw)

    return [[swapped(raw) for raw in file] for file in files], {TAMPERED}


def sealed(raw):
    """The line with the hash that its bytes have."""
    body = raw[:raw.rindex(b',"hash":"')]
    digest = hashlib.sha256(body).hexdigest().encode()
    return body + b',"hash":"' + digest + b'"}\n'


def forge(pick, files):
    """A value of one line, with a hash that fits again."""
    file, at = some_line(pick, files)
    raw = files[file][at]
    line = json.loads(raw)
    other = re.sub(rb'"time":"(....)-', lambda match: b'"time":"%d-' % (
        int(match[1]) - 1), raw)
    files = copy_of(files)
    files[file][at] = sealed(other)
    chains = chains_of(files)
    is_last = chains[line["chain"]][-1]["seq"] == line["seq"]
    seen = any(own.get("before") and own["before"]["chain"] == line["chain"]
               and own["before"]["written"] == line["seq"]
               for lines in chains.values() for own in lines)
    return files, {CLEAN, EXPLAINED, TORN} if is_last and not seen \
        else {TAMPERED}


def forge_links(pick, files):
    """seq, prev or dropped, with a hash that fits again."""
    file, at = some_line(pick, files)
    raw = files[file][at]
    seq = json.loads(raw)["seq"]
    other = pick.choice([
        raw.replace(b'"seq":%d,' % seq, b'"seq":%d,' % (seq + 1)),
        raw.replace(b'"seq":%d,' % seq, b'"seq":%d,"dropped":1,' % seq),
        raw.replace(b'"seq":%d,' % seq,
                    b'"seq":%d,"dropped":1,' % (seq + 1)),
        re.sub(rb'"prev":"..', b'"prev":"zz', raw).replace(b"zz", b"0f"
               if b'"prev":"0f' not in raw else b"0e")])
    files = copy_of(files)
    files[file][at] = sealed(other)
    own = chains_of(files)[json.loads(raw)["chain"]]
    # a loss that nobody can deny: the chain's last line says so itself
    if own[-1]["seq"] == json.loads(other)["seq"] == seq + 1 \
            and b'"dropped"' in other and own[-1]["kind"] != "chain_close":
        return files, {EXPLAINED, TORN, TAMPERED}
    return files, {TAMPERED}


def cut(pick, files):
    """The end of a file, at any byte."""
    files = copy_of(files)
    file, at = some_line(pick, files)
    keep = pick.randrange(len(files[file][at]))
    piece = files[file][at][:keep]
    files[file] = files[file][:at]
    expected = expected_of_lines(files)
    if keep == 0:
        return files, expected
    files[file].append(piece)
    if expected == {TAMPERED}:
        # the whole line may be what was missed
        whole = files[:file] + [files[file][:-1] + [piece + b"\n"]] \
            + files[file + 1:]
        if piece.endswith(b'"}'):
            expected = expected_of_lines(whole)
        return files, expected
    return files, {TORN} if not piece.endswith(b'"}') else {CLEAN, TORN}


def zero(pick, files):
    """Some bytes became zeros."""
    files = copy_of(files)
    file, at = some_line(pick, files)
    raw = files[file][at]
    where = pick.randrange(len(raw) - 1)
    size = pick.randint(1, len(raw) - 1 - where)
    files[file][at] = raw[:where] + b"\0" * size + raw[where + size:]
    return files, {TORN, TAMPERED}


def intrude(pick, files):
    """A line that none of the writers wrote."""
    files = copy_of(files)
    file, at = some_line(pick, files)
    raw = files[file][at]
    files[file].insert(at, pick.choice([
        b"nothing happened here\n", b"{}\n", b'{"v":1,"kind":"decision"}\n',
        raw[:raw.index(b',"chain"')] + b"}\n",
        sealed(raw.replace(b'"seq":', b'"seq":9'))]))
    return files, {TAMPERED}


MUTATIONS = (change_byte, flip_character, remove_byte, insert_byte,
             remove_newline, remove_lines, remove_of_chain, repeat_lines,
             swap_lines, move_lines, swap_chains, forge, forge_links, cut,
             zero, intrude)


# -- the logs -------------------------------------------------------------------

def rotate(server):
    moved = server.dir / "audit.log.1"
    server.audit_path.rename(moved)
    server.reopen(moved)


def calls(server, count=8):
    for _ in range(count):
        assert server.raw(request()).status == 201


def quiet_log(nginx):
    """Two workers, a rotation, a reload, closed."""
    server = place(nginx, workers=2)
    calls(server)
    rotate(server)
    calls(server)
    server.reload()
    calls(server)
    server.quit()
    return server


def rough_log(nginx):
    """The same with workers killed, at the end all of them."""
    server = place(nginx, workers=2)
    server.declare(log=["exited on signal 9", "was locked by"],
                   audit_checked=False)
    calls(server)
    pid = server.worker_pids()[0]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(server.worker_pids()) == 2
               and pid not in server.worker_pids())
    calls(server)
    server.reload()
    rotate(server)
    calls(server)
    server.kill()
    server.quit_seconds = 0
    server.status = 0
    return server


def run(folder, files):
    paths = []
    for number, file in enumerate(files):
        paths.append(folder / f"mutated.{number}")
        paths[-1].write_bytes(b"".join(file))
    done = subprocess.run([CTL, "verify", *paths], capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("make", [quiet_log, rough_log])
def test_every_change_is_seen(nginx, folder, make):
    server = make(nginx)
    files = [path.read_bytes().splitlines(keepends=True)
             for path in (server.dir / "audit.log.1", server.audit_path)]
    assert looks_honest(files)
    code, said = run(folder, files)
    assert code == CLEAN, said
    seen, unseen = Counter(), Counter()
    for number in range(SEED, SEED + COUNT):
        pick = random.Random(number)
        mutation = MUTATIONS[number % len(MUTATIONS)]
        changed, expected = mutation(pick, files)
        if changed == files:
            continue
        code, said = run(folder, changed)
        assert code in expected, \
            f"seed {number}, {mutation.__name__}: {code}, not {expected}\n" \
            f"{said}"
        seen[code] += 1
        unseen[mutation.__name__] += code == CLEAN
    print(make.__name__, dict(seen), "clean:", dict(+unseen))
    assert seen[TAMPERED] > COUNT / 2
