"""`integrityctl verify` on files crafted here: exit codes, words, JSON."""

import json
import subprocess

import pytest

from harness.chain import Chain, sealed
from harness.oracles import schema_problems
from harness.settings import CTL

CLEAN, EXPLAINED, USAGE, TORN, TAMPERED, UNVERIFIABLE = range(6)


def verify(*arguments, stdin=b""):
    """Exit code and what was said; nothing must come to stderr but usage."""
    done = subprocess.run([CTL, "verify", *map(str, arguments)], input=stdin,
                          capture_output=True, timeout=60, check=False)
    if done.returncode != USAGE:
        assert done.stderr == b""
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.fixture
def log(folder):
    """Writes lines into a file of the test and returns its path."""
    def write(lines, name="audit.log"):
        path = folder / name
        path.write_bytes(b"".join(lines))
        return path
    return write


def test_the_lines_crafted_here_are_of_the_schema():
    chain = Chain()
    lines = chain.whole(2, before=Chain().witness())
    lines += [chain.segment_start(), chain.segment_end()]
    assert schema_problems(b"".join(lines)) == []


def test_a_closed_chain_is_clean(log):
    code, said = verify(log(Chain().whole(3)))
    assert code == CLEAN
    assert "5 lines, 1 to 5, closed" in said
    assert said.endswith("5 lines of 1 chain in 1 file: clean\n")


def test_a_live_log_is_clean_with_a_note(log):
    chain = Chain()
    path = log([chain.open(), chain.outcome()])
    code, said = verify(path)
    assert code == CLEAN
    assert f"{path}:2: note: not closed yet" in said


def test_interleaved_workers_and_generations(log):
    one, two = Chain("edge-1/0"), Chain("edge-1/1")
    lines = [one.open(), two.open()]
    for _ in range(20):
        lines += [two.outcome(), one.outcome(), one.outcome()]
    lines += [one.close(), two.close()]
    lines += Chain("edge-1/0", 100).whole(2, one.witness(closed=True))
    code, said = verify(log(lines))
    assert code == CLEAN
    assert "of 3 chains in 1 file: clean" in said


def test_the_standard_input(log):
    path = log(Chain().whole(3))
    code, said = verify("-", stdin=path.read_bytes())
    assert code == CLEAN
    code, said = verify("-", stdin=path.read_bytes()[:-60])
    assert code == TORN
    assert "standard input:5: torn: a line breaks off" in said


def test_lines_the_chain_says_it_lost(log):
    chain = Chain()
    lines = [chain.open(), chain.outcome()]
    chain.lose(3)
    path = log(lines + [chain.outcome(), chain.close()])
    code, said = verify(path)
    assert code == EXPLAINED
    assert f"{path}:3: gap: 3 lines before this one could not be" in said
    assert said.endswith("1 file, 3 lost: explained gap\n")


def test_a_short_write_and_its_resynchronisation(log):
    chain = Chain()
    lines = [chain.open()]
    whole = chain.outcome()
    chain.seq -= 1
    chain.last = json.loads(lines[0])["hash"]
    chain.lose()
    path = log(lines + [whole[:90], b"\n", chain.outcome(), chain.close()])
    code, said = verify(path)
    assert code == EXPLAINED
    assert f"{path}:2: torn: a line breaks off after 90 bytes" in said
    assert f"{path}:3: gap: 1 line before this one" in said


@pytest.mark.parametrize("claimed, expected", [(1, EXPLAINED), (2, TAMPERED)])
def test_a_write_cut_just_before_the_newline(log, claimed, expected):
    """Its line is whole, but its writer counts it as lost."""
    chain = Chain()
    lines = [chain.open(), chain.outcome()]
    chain.last = json.loads(lines[0])["hash"]
    chain.dropped = chain.lost = claimed
    lines += [chain.outcome(), chain.close()]
    assert verify(log(lines))[0] == expected


def test_another_workers_line_glued_to_a_torn_one(log):
    one, two = Chain("edge-1/0"), Chain("edge-1/1")
    lines = [one.open(), two.open()]
    torn = one.outcome()[:100]
    one.seq -= 1
    one.last = json.loads(lines[0])["hash"]
    one.lose()
    lines += [torn, two.outcome(), b"\n", one.outcome(), one.close(),
              two.close()]
    code, said = verify(log(lines))
    assert code == EXPLAINED
    assert ":3: torn: a line breaks off after 100 bytes" in said


def test_a_killed_worker_and_its_successor(log):
    chain = Chain("edge-1/0")
    lines = [chain.open(), chain.outcome()]
    after = Chain("edge-1/0", 50)
    code, said = verify(log(lines + after.whole(1, chain.witness())))
    assert code == CLEAN
    assert "but this was its last line when its successor began" in said

    after = Chain("edge-1/0", 50)
    witness = chain.witness(issued=chain.seq + 2)
    code, said = verify(log(lines + after.whole(1, witness)))
    assert code == EXPLAINED
    assert "2 lines after this one could not be written, as its succ" in said


def test_a_tail_cut_in_a_line(log):
    lines = Chain().whole(3)
    lines[-1] = lines[-1][:50]
    assert verify(log(lines))[0] == TORN


def test_a_tail_cut_before_a_successor_started_anew(log):
    chain = Chain("edge-1/0")
    lines = [chain.open(), chain.outcome()]
    path = log(lines + Chain("edge-1/0", 50).whole(1))
    code, said = verify(path)
    assert code == TORN
    assert f"{path}:2: torn: the chain ends here without being closed" in said


def tampered(log, lines, number, words):
    path = log(lines)
    code, said = verify(path)
    assert code == TAMPERED
    assert f"{path}:{number}: tampered: {words}" in said


def test_an_edit(log):
    lines = Chain().whole(5)
    lines[2] = lines[2].replace(b":201", b":403")
    tampered(log, lines, 3, "this line was changed: its hash is not that of")


def test_an_edit_with_a_new_hash(log):
    lines = Chain().whole(5)
    line = json.loads(lines[2])
    line["status"] = 403
    prev = line.pop("prev")
    del line["hash"]
    lines[2], _ = sealed(line, prev)
    tampered(log, lines, 4, "the line before this one in its chain was")


def test_a_deletion(log):
    lines = Chain().whole(5)
    del lines[2:4]
    tampered(log, lines, 3, "lines 3 to 4 of the chain are missing")


def test_a_deleted_beginning(log):
    lines = Chain().whole(5)
    tampered(log, lines[2:], 1, "lines 1 to 2 of the chain are missing")


def test_a_deleted_end(log):
    chain = Chain("edge-1/0")
    lines = chain.whole(5)
    after = Chain("edge-1/0", 50).whole(1, chain.witness(closed=True))
    tampered(log, lines[:-2] + after, 5,
             "the chain ends here at line 5, but its successor saw line 7")


def test_a_swap(log):
    lines = Chain().whole(5)
    lines[2], lines[3] = lines[3], lines[2]
    tampered(log, lines, 4, "line 3 of the chain after line 4: it was")


def test_a_repetition(log):
    lines = Chain().whole(5)
    lines.insert(5, lines[1])
    tampered(log, lines, 6, "line 2 of the chain after line 5: it was")


def test_an_intruder(log):
    lines = Chain().whole(5)
    lines.insert(3, b"Nov 23 12:00:00 edge-1 nothing happened here\n")
    tampered(log, lines, 4, "1 line of no chain")


def test_what_is_no_audit_log(log):
    path = log([b'{"level":"info","message":"hello"}\n'] * 3)
    code, said = verify(path)
    assert code == UNVERIFIABLE
    assert f"{path}:1: unverifiable: 3 lines of no chain" in said

    assert verify(log([]))[0] == UNVERIFIABLE
    assert verify("/dev/null")[0] == UNVERIFIABLE

    code, said = verify(log([b'{"v":7,"kind":"decision"}\n']))
    assert code == UNVERIFIABLE
    assert "a line of a version that is not known here" in said


def test_binary_rubbish(log):
    path = log([bytes(range(256)) * 1000])
    assert verify(path)[0] == UNVERIFIABLE


def segments():
    """One chain over three files."""
    chain = Chain()
    return [[chain.open(), chain.outcome(), chain.segment_end()],
            [chain.segment_start(), chain.outcome(), chain.segment_end()],
            [chain.segment_start(), chain.outcome(), chain.close()]]


def test_segments_in_any_order(log):
    paths = [log(lines, f"audit.log.{number}")
             for number, lines in enumerate(segments())]
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        code, said = verify(*(paths[number] for number in order))
        assert code == CLEAN
        assert "9 lines of 1 chain in 3 files: clean" in said
    code, said = verify(paths[2])
    assert code == CLEAN
    assert "the 6 lines before this one are in files that were not given" \
        in said
    code, said = verify(paths[0], paths[2])
    assert code == TAMPERED
    assert f"{paths[2]}:1: tampered: lines 4 to 6 of the chain are" in said


def test_json(log):
    chain = Chain()
    lines = [chain.open(), chain.outcome()]
    chain.lose(2)
    lines += [chain.outcome(), chain.outcome().replace(b":201", b":200")]
    path = log(lines)
    code, said = verify("--json", path)
    report = json.loads(said)
    assert code == TAMPERED
    assert report["result"] == "tampered" and report["exit"] == TAMPERED
    assert report["lines"] == 4 and report["lost"] == 2
    assert report["torn"] == 0 and report["files"] == 1
    assert report["omitted"] == 0
    assert report["chains"] == [{"chain": chain.id, "first": 1, "last": 6,
                                 "lines": 4, "state": "open"}]
    assert [(finding["kind"], finding["line"])
            for finding in report["findings"]] \
        == [("gap", 3), ("tampered", 4), ("note", 4)]
    assert all(finding["file"] == str(path) and finding["chain"] == chain.id
               and finding["text"] for finding in report["findings"])


def test_json_of_nothing(log):
    code, said = verify("--json", log([]))
    report = json.loads(said)
    assert code == UNVERIFIABLE
    assert report["findings"] == [] and report["chains"] == []


def test_many_findings_are_summed_up(log):
    chain = Chain()
    lines = [chain.open()]
    lines += [chain.outcome().replace(b'us":201', b'us":200')
              for _ in range(300)]
    path = log(lines + [chain.close()])
    code, said = verify(path)
    assert code == TAMPERED
    assert said.count("tampered: ") == 100
    assert "... and 200 more; --all shows them" in said
    assert verify("--all", path)[1].count("tampered: ") == 300
    report = json.loads(verify("--json", path)[1])
    assert len(report["findings"]) == 100 and report["omitted"] == 200
    report = json.loads(verify("--json", "--all", path)[1])
    assert len(report["findings"]) == 300 and report["omitted"] == 0


def test_a_name_with_control_characters(folder):
    path = folder / "audit\n\"log\""
    path.write_bytes(Chain().open()[:-30])
    report = json.loads(verify("--json", path)[1])
    assert report["findings"][0]["file"] == str(path)


def test_files_that_cannot_be_read(log, folder):
    path = log(Chain().whole(3))
    code, said = verify(path, folder / "missing.log")
    assert code == USAGE
    assert f'cannot open "{folder}/missing.log": No such file' in said
    code, said = verify(folder)
    assert code == USAGE
    assert f'cannot read "{folder}": Is a directory' in said


def test_usage():
    for arguments in ((), ("--json",), ("--nonsense", "x"), ("-x",)):
        code, said = verify(*arguments)
        assert code == USAGE
        assert "Usage: integrityctl verify [OPTION...] FILE..." in said


def test_help():
    code, said = verify("--help")
    assert code == 0
    for number in range(6):
        assert f"\n  {number}  " in said
    assert verify("--json", "-h")[0] == 0


def test_a_long_log(log):
    """Many lines and chains, in order and fast: it is read as a stream."""
    chains = [Chain(f"edge-1/{number}") for number in range(40)]
    lines = [chain.open() for chain in chains]
    for _ in range(250):
        lines += [chain.outcome() for chain in chains]
    lines += [chain.close() for chain in chains]
    code, said = verify(log(lines))
    assert code == CLEAN
    assert "... and 20 more; --all shows them" in said
    assert said.endswith("10080 lines of 40 chains in 1 file: clean\n")
