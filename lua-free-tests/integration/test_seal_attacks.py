"""Attacks on a log that real nginx wrote and a real process sealed.

Each is made on a copy, and must be found and called by its name.
"""

import gzip
import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from harness import senders
from harness.nginx import Nginx
from harness.sealing import Seal, new_key, resigned, signed

HTTP = """
    integrity_zone    integrity:4m;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account $http_x_account;
    integrity_counter calls key=account window=1h;
    integrity_rule    often "calls > 3" score=10;

    server {
        listen 127.0.0.1:%%PORT_APP%%;
        return 201;
    }
"""

SERVER = """
        integrity        on;
        integrity_action review.create;
        location / { proxy_pass http://127.0.0.1:%%PORT_APP%%; }
"""


def calls(server, count):
    for number in range(count):
        server.raw(senders.post_request("/", b"{}",
                                        {"X-Account": f"a{number % 5}"}))


def written(server):
    return len(server.audit_lines())


@pytest.fixture(scope="module")
def history():
    """A log of two segments, sealed but for its last lines."""
    place = Path(tempfile.mkdtemp(prefix="ig-"))
    place.chmod(0o755)
    (place / "nginx").mkdir()
    server = Nginx(place / "nginx", http=HTTP, server=SERVER, workers=2)
    seal = Seal(place, server.audit_path).start()
    try:
        server.start()
        calls(server, 20)
        seal.wait_for(written(server))
        moved = server.dir / "audit.log.1"
        server.audit_path.rename(moved)
        server.reopen(moved)
        calls(server, 20)
        seal.wait_for(written(server))
        calls(server, 20)
        seal.wait_for(written(server))
        assert seal.stop() == 0
        calls(server, 5)
        assert server.finish() == []
    finally:
        seal.kill()
        server.kill()
    yield place
    shutil.rmtree(place)


class Case:
    """Copies of the segments and of the checkpoints, as lists of lines."""

    def __init__(self, history, folder):
        self.dir = folder
        self.old = self._lines(history / "nginx/audit.log.1")
        self.new = self._lines(history / "nginx/audit.log")
        self.checkpoints = self._lines(history / "checkpoints")
        for name in ("seal.key", "seal.key.pub"):
            shutil.copy(history / name, folder)
        self.seal = Seal(folder, key=folder / "seal.key")
        self.sealed = self.seals(self.checkpoints)

    @staticmethod
    def _lines(path):
        return path.read_bytes().splitlines(keepends=True)

    @staticmethod
    def seals(checkpoints):
        return {chain["id"]: chain["seq"] for raw in checkpoints
                for log in json.loads(raw).get("log", ())
                for chain in log["chain"]}

    def chains(self):
        """The two chains of the workers, by their lines in the new segment."""
        ids = [json.loads(raw)["chain"] for raw in self.new]
        return sorted(set(ids), key=ids.count)[-2:]

    def last_sealed(self):
        """How many lines of the new segment are sealed."""
        return sum(json.loads(raw)["seq"]
                   <= self.sealed[json.loads(raw)["chain"]]
                   for raw in self.new)

    def verify(self, *more):
        paths = []
        for name, lines in (("audit.log.1", self.old), ("audit.log", self.new)):
            if lines is not None:
                paths.append(self.dir / name)
                paths[-1].write_bytes(b"".join(lines))
        self.seal.path.write_bytes(b"".join(self.checkpoints))
        return self.seal.verify(*paths, *more)


@pytest.fixture
def case(history, folder):
    return Case(history, folder)


def rehashed(*segments):
    """The segments with every chain's hashes computed anew."""
    last = {}
    for lines in segments:
        for index, raw in enumerate(lines):
            body = raw[:raw.rindex(b',"hash":')]
            chain = json.loads(raw)["chain"]
            if chain in last:
                body = re.sub(rb'"prev":"\w+"$',
                              b'"prev":"%s"' % last[chain], body)
            last[chain] = hashlib.sha256(body).hexdigest().encode()
            lines[index] = body + b',"hash":"' + last[chain] + b'"}\n'


def decisions(lines):
    return [index for index, raw in enumerate(lines)
            if b'"kind":"decision"' in raw]


# -- what is honest ---------------------------------------------------------

def test_what_was_left_alone(case):
    code, said = case.verify()
    assert code == 0, said
    assert "tampered" not in said
    beyond = len(case.new) - case.last_sealed()
    assert beyond >= 10
    assert re.search(rf"checkpoints: note: {beyond} lines, from \S+Z to \S+Z,"
                     r" are not sealed: the last checkpoint, number", said)


def test_old_segments_compressed_or_put_away(case):
    case.verify()
    path = case.dir / "audit.log.1"
    packed = case.dir / "audit.log.1.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    code, said = case.seal.verify(case.dir / "audit.log", packed)
    assert code == 0 and "in 2 files: clean" in said, said

    case.old = None
    code, said = case.verify()
    assert code == 0, said
    assert "1 older segment of " in said and " is sealed too, but not" in said


# -- attacks on the log -----------------------------------------------------

def edit(case):
    at = decisions(case.old)[3]
    case.old[at] = case.old[at].replace(b'"allow"', b'"deny"')
    return 4, "this line was changed: its hash is not that of its text"


def delete(case):
    del case.old[decisions(case.old)[4]]
    return 4, "of the chain is missing before this one"


def reorder(case):
    chain = case.chains()[0].encode()
    one, two = [at for at, raw in enumerate(case.new) if chain in raw][2:4]
    case.new[one], case.new[two] = case.new[two], case.new[one]
    return 4, "it was repeated or moved"


def swap_two_chains(case):
    one, two = (name.encode() for name in case.chains())
    for lines in (case.old, case.new):
        lines[:] = [raw.replace(b'"chain":"' + one, b'"chain":"?')
                    .replace(b'"chain":"' + two, b'"chain":"' + one)
                    .replace(b'"chain":"?', b'"chain":"' + two)
                    for raw in lines]
    rehashed(case.old, case.new)
    return 4, "the hashes were computed anew"


def cut_before_the_last_checkpoint(case):
    del case.new[case.last_sealed() - 3:]
    return 4, "its end was cut off"


def up_to(lines, sealed):
    """Those of the lines that were sealed then; None: there are none."""
    return [raw for raw in lines if json.loads(raw)["seq"]
            <= sealed.get(json.loads(raw)["chain"], 0)] or None


def cut_after_an_earlier_checkpoint(case):
    then = case.seals(case.checkpoints[:len(case.checkpoints) // 2])
    case.old, case.new = up_to(case.old, then), up_to(case.new, then)
    return 4, "its end was cut off" if case.new else "was removed or is in"


def cut_within_the_unsealed_part(case):
    case.new[-1] = case.new[-1][:50]
    return 3, "a line breaks off after 50 bytes"


def replay_an_old_segment(case):
    case.new = list(case.old)
    return 4, "a file was given twice, or lines were copied"


def replay_it_at_the_end(case):
    case.new += case.old
    return 4, "it was repeated or moved"


def rebuild_all_hashes(case):
    at = decisions(case.old)[3]
    case.old[at] = case.old[at].replace(b'"allow"', b'"deny"')
    rehashed(case.old, case.new)
    return 4, "something was changed, and the hashes were computed anew"


def rebuild_under_new_names(case):
    names = {json.loads(raw)["chain"].encode()
             for raw in case.old + case.new}
    for lines in (case.old, case.new):
        for name in names:
            lines[:] = [raw.replace(name, name[:-4] + b"0123")
                        for raw in lines]
    rehashed(case.old, case.new)
    return 6, "no checkpoint speaks of this file"


def rebuild_the_present_segment_under_new_names(case):
    case.new = [raw.replace(b"/0/", b"/8/").replace(b"/1/", b"/9/")
                for raw in case.new]
    rehashed(case.new)
    return 4, "was removed or is in a file that was not given"


def strip_hashes(case):
    for lines in (case.old, case.new):
        lines[:] = [raw[:raw.index(b',"chain":')] + b"}\n" for raw in lines]
    return 5, "lines of no chain"


def strip_some_hashes(case):
    case.old = [raw[:raw.index(b',"chain":')] + b"}\n" for raw in case.old]
    return 4, "lines of no chain"


def duplicate_a_seq(case):
    at = decisions(case.new)[2]
    case.new.insert(at + 1, case.new[at])
    return 4, "it was repeated or moved"


def remove_a_chain(case):
    chain = case.chains()[0].encode()
    for lines in (case.old, case.new):
        lines[:] = [raw for raw in lines if b'"chain":"' + chain not in raw]
    return 4, "no line of this chain is here, but checkpoint"


def add_a_chain(case):
    chain = case.chains()[0].encode()
    more = [raw.replace(b'"chain":"' + chain, b'"chain":"x/7/' + b"0" * 16)
            for raw in case.old if b'"chain":"' + chain in raw]
    rehashed(more)
    case.old[10:10] = more
    return 4, "no checkpoint sealed this line"


def exchange_the_past_for_a_later_one(case):
    """The end of a chain as it will be, in the name of what it was."""
    chain = case.chains()[0].encode()
    later = [raw for raw in case.new if b'"chain":"' + chain in raw]
    at = [at for at, raw in enumerate(case.old)
          if b'"chain":"' + chain in raw][3:6]
    for index, raw in zip(at, later[-3:]):
        seq = json.loads(case.old[index])["seq"]
        case.old[index] = re.sub(rb'"seq":\d+', b'"seq":%d' % seq, raw)
    rehashed(case.old, case.new)
    return 4, "something was changed, and the hashes were computed anew"


# -- attacks on the checkpoints ---------------------------------------------

def forge_a_checkpoint(case):
    key = new_key(case.dir / "other.key")
    case.checkpoints[-1] = resigned(key, case.checkpoints[-1:])[0]
    return 4, "which is not one of those given: it is forged"


def forge_all_checkpoints(case):
    rebuild_all_hashes(case)
    case.checkpoints = resigned(new_key(case.dir / "other.key"),
                                case.checkpoints)
    return 4, "which is not one of those given: it is forged"


def edit_a_checkpoint(case):
    case.checkpoints[1] = re.sub(rb'"bytes":\d', b'"bytes":9',
                                 case.checkpoints[1])
    return 4, "its signature is not that of its text"


def remove_a_checkpoint(case):
    del case.checkpoints[2]
    return 4, "checkpoint 3 is missing: it was removed"


def remove_the_first_checkpoints(case):
    del case.checkpoints[:2]
    return 4, "the file begins with checkpoint 3"


def reorder_checkpoints(case):
    lines = case.checkpoints
    lines[1], lines[2] = lines[2], lines[1]
    return 4, "checkpoint 2 after checkpoint 3: it was repeated or moved"


def no_checkpoints(case):
    case.checkpoints = []
    return 6, "nothing is sealed"


ATTACKS = [edit, delete, reorder, swap_two_chains,
           cut_before_the_last_checkpoint, cut_after_an_earlier_checkpoint,
           cut_within_the_unsealed_part, replay_an_old_segment,
           replay_it_at_the_end, rebuild_all_hashes, rebuild_under_new_names,
           rebuild_the_present_segment_under_new_names, strip_hashes,
           strip_some_hashes, duplicate_a_seq, remove_a_chain, add_a_chain,
           exchange_the_past_for_a_later_one, forge_a_checkpoint,
           forge_all_checkpoints, edit_a_checkpoint, remove_a_checkpoint,
           remove_the_first_checkpoints, reorder_checkpoints, no_checkpoints]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_is_found_and_named(case, attack):
    expected, words = attack(case)
    code, said = case.verify()
    assert code == expected and words in said, said


def test_cutting_the_end_of_the_checkpoints(case):
    """Nothing can show it but their age, which the heartbeat bounds."""
    half = len(case.checkpoints) // 2
    kept = case.seals(case.checkpoints[:half])
    case.checkpoints = case.checkpoints[:half]
    case.old, case.new = up_to(case.old, kept), up_to(case.new, kept)
    code, said = case.verify()
    assert code == 0, said
    logs = case.dir.glob("audit.log*")
    code, said = case.seal.verify("--max-age=1ms", *logs)
    assert code == 6 and "that is too old" in said, said
    logs = case.dir.glob("audit.log*")
    code, said = case.seal.verify("--max-age=1h", *logs)
    assert code == 0, said


def test_an_old_past_sealed_again_with_a_newer_key(case):
    """journald's verifier takes it; the order of keys must not."""
    newer = new_key(case.dir / "newer.key")
    public = newer.with_name("newer.key.pub")
    rebuild_all_hashes(case)
    case.checkpoints = resigned(newer, case.checkpoints)
    case.verify()
    logs = [case.dir / "audit.log.1", case.dir / "audit.log"]
    code, said = case.seal.verify("--key", public, *logs)
    assert code == 4, said
    assert "before the key in force introduced it: the past was sealed again" \
        in said


def test_a_forged_line_is_not_enough_to_introduce_a_key(case):
    other = new_key(case.dir / "other.key")
    last = json.loads(case.checkpoints[-1])
    members = {name: last[name] for name in ("v", "kind", "time", "origin")}
    members |= {"kind": "key", "number": last["number"] + 1, "key": last["key"],
                "prev": hashlib.sha256(case.checkpoints[-1][:-1]).hexdigest(),
                "next": "0" * 64}
    case.checkpoints.append(signed(other, members))
    code, said = case.verify()
    assert code == 4 and "its signature is not that of its text" in said, said
