"""What others do to the log's file while it is written: what verify says of it,
and that it is true."""

import json
import os
import random
import shutil
import signal
import time

from harness import processes
from harness.crowd import Crowd
from harness.settings import wait_until
from test_audit_file import (decided, lines_of, place, request, verify)

CLEAN, EXPLAINED, _, TORN, TAMPERED, _ = range(6)

CUT_OFF = r"somebody cut (\d+) bytes off "


def written(server):
    """One more call, whose line is in the log's file."""
    assert server.raw(request()).status == 201


def told_truncated(path):
    return [line for line in lines_of(path)
            if line["kind"] == "segment_start" and "truncated" in line]


# -- copytruncate -------------------------------------------------------------

def test_copied_and_truncated(nginx):
    """Named, by the log itself; with the copy nothing is missing."""
    server = place(nginx)
    written(server)
    server.wait_audit(1, "outcome")
    copy = server.dir / "audit.log.1"
    shutil.copy(server.audit_path, copy)
    size = server.audit_path.stat().st_size
    os.truncate(server.audit_path, 0)
    written(server)
    server.quit()
    assert int(server.wait_log(CUT_OFF)[1]) == size
    assert server.audit_path.read_bytes()[:1] == b"{"
    (told,) = told_truncated(server.audit_path)
    assert told["truncated"] == size

    code, said = verify(copy, server.audit_path)
    assert code == CLEAN, said
    assert "the file was copied and truncated; lines written in between" in said
    assert "bytes off this file while it was written, as logrotate's" in said

    code, said = verify(server.audit_path)
    assert code == TAMPERED
    assert "are missing before this one: the file was truncated, as line" \
        in said


def test_copied_and_truncated_under_load(nginx):
    """What was written between the copy and the cut is missed, and why."""
    server = place(nginx, workers=2)
    server.declare(audit_checked=False)
    copy = server.dir / "audit.log.1"
    with Crowd(server, [request()], clients=6, pause=0.005) as crowd:
        time.sleep(0.2)
        shutil.copy(server.audit_path, copy)
        lost = len(lines_of(server.audit_path))
        wait_until(lambda: len(lines_of(server.audit_path)) > lost + 20)
        os.truncate(server.audit_path, 0)
        wait_until(lambda: told_truncated(server.audit_path))
    server.quit()
    assert len(server.error_log.split("somebody cut ")) == 2
    missing = {call.event for call in crowd.calls} \
        - set(decided(lines_of(copy, server.audit_path)))
    assert missing
    code, said = verify(copy, server.audit_path)
    assert code == TAMPERED
    assert "missing before this one" in said
    assert said.count("the file was copied and truncated; lines") == 2


def test_a_cut_that_leaves_lines(nginx):
    """Not to nothing: the last lines, as somebody who hides them would."""
    server = place(nginx)
    server.declare(audit_checked=False)
    for _ in range(5):
        written(server)
    server.wait_audit(5, "outcome")
    data = server.audit_path.read_bytes()
    os.truncate(server.audit_path, len(data) - len(data) // 3)
    written(server)
    server.quit()
    assert len(told_truncated(server.audit_path)) == 1
    assert b"\n\n" not in server.audit_path.read_bytes()
    code, said = verify(server.audit_path)
    assert code == TAMPERED
    assert "missing before this one" in said
    assert "note: somebody cut " in said


# -- moved, deleted, away -----------------------------------------------------

def test_moved_without_a_signal(nginx):
    """Lines go to the file that was moved; a new one that somebody made
    meanwhile is taken once USR1 comes."""
    server = place(nginx, workers=2)
    moved = server.dir / "audit.log.1"
    with Crowd(server, [request()], clients=4, pause=0.005) as crowd:
        time.sleep(0.1)
        server.audit_path.rename(moved)
        size = moved.stat().st_size
        wait_until(lambda: moved.stat().st_size > size)
        server.audit_path.touch(0o644)
        size = moved.stat().st_size
        wait_until(lambda: moved.stat().st_size > size)
        assert server.audit_path.stat().st_size == 0
        assert verify(moved)[0] == CLEAN
        server.reopen(moved)
        wait_until(lambda: server.audit_path.stat().st_size > 0)
    server.quit()
    assert crowd.errors == []
    assert set(decided(lines_of(moved, server.audit_path))) \
        == {call.event for call in crowd.calls}
    code, said = verify(moved, server.audit_path)
    assert code == CLEAN, said


def test_deleted(nginx):
    """Told once; the next USR1 makes a file that can be found again."""
    server = place(nginx)
    server.declare(audit_checked=False)
    written(server)
    server.audit_path.unlink()

    def is_told():
        written(server)
        return "was deleted while it was written" in server.error_log

    wait_until(is_told)
    server.signal(signal.SIGUSR1)
    wait_until(server.audit_path.exists)
    wait_until(lambda: written(server) or lines_of(server.audit_path))
    server.quit()
    assert server.error_log.count("was deleted while it was written") == 1
    code, said = verify(server.audit_path)
    assert code == CLEAN
    assert "are in files that were not given" in said


def test_the_folder_is_away(nginx):
    """USR1 finds no folder: lines go on into the file that was open."""
    server = place(nginx, "%%DIR%%/logs/audit.log", workers=2, start=False)
    folder, away = server.dir / "logs", server.dir / "away"
    folder.mkdir()
    server.start()
    server.declare(log=[r"\[emerg\] .*No such file or directory"])
    with Crowd(server, [request()], clients=4, pause=0.005) as crowd:
        time.sleep(0.1)
        folder.rename(away)
        for _ in range(3):
            server.signal(signal.SIGUSR1)
            time.sleep(0.05)
        size = (away / "audit.log").stat().st_size
        wait_until(lambda: (away / "audit.log").stat().st_size > size)
        folder.mkdir()
        server.reopen(away / "audit.log")
        time.sleep(0.05)
    server.quit()
    assert crowd.errors == []
    files = (away / "audit.log", folder / "audit.log")
    assert set(decided(lines_of(*files))) \
        == {call.event for call in crowd.calls}
    code, said = verify(*files)
    assert code == CLEAN, said


def test_a_link(nginx):
    """The log is a link to a file elsewhere, which is rotated there."""
    server = place(nginx, start=False)
    elsewhere = server.dir / "elsewhere"
    elsewhere.mkdir()
    server.audit_path.symlink_to(elsewhere / "real.log")
    server.start()
    files = []
    for number in range(3):
        written(server)
        files.append(elsewhere / f"real.log.{number}")
        (elsewhere / "real.log").rename(files[-1])
        server.reopen(files[-1])
    written(server)
    server.quit()
    code, said = verify(*files, elsewhere / "real.log")
    assert code == CLEAN, said
    assert len(decided(lines_of(*files, elsewhere / "real.log"))) == 4


# -- more than one writer -----------------------------------------------------

def test_two_instances_by_mistake(nginx):
    """Both think the file is theirs: every line is there and none is torn."""
    first = place(nginx, workers=2)
    second = place(nginx, first.audit_path)
    with Crowd(first, [request()], clients=3, pause=0.005) as one:
        with Crowd(second, [request()], clients=3, pause=0.005) as two:
            wait_until(lambda: len(lines_of(first.audit_path)) > 100)
            code, said = verify(first.audit_path)
            assert code in (CLEAN, TORN), said      # torn: one is idle
            time.sleep(0.2)
    first.quit()
    second.quit()
    code, said = verify(first.audit_path)
    assert code == CLEAN, said
    assert set(decided(lines_of(first.audit_path))) \
        == {call.event for call in one.calls + two.calls}


def test_chains_of_two_nodes_in_one_file(nginx, folder):
    """As a collector mixes them: the lines of each in their order."""
    nodes = [place(nginx, http=place.__globals__["HTTP"]
                   + f"integrity_node edge-{number};") for number in (1, 2)]
    for server in nodes:
        for _ in range(5):
            written(server)
        server.quit()
    queues = [server.audit_path.read_bytes().splitlines(keepends=True)
              for server in nodes]
    mixed = folder / "mixed.log"
    with mixed.open("wb") as file:
        pick = random.Random(4)
        while any(queues):
            queue = pick.choice([queue for queue in queues if queue])
            file.write(queue.pop(0))
    code, said = verify(mixed)
    assert code == CLEAN, said
    assert "edge-1/0/" in said and "edge-2/0/" in said


# -- a generation is gone -------------------------------------------------------

def test_a_removed_generation(nginx):
    """Every line of one worker's life: the next one knows they were here."""
    server = place(nginx)
    for _ in range(2):
        written(server)
        server.reload()
    written(server)
    server.quit()
    opens = server.audit_lines("chain_open")
    assert [line["before"] and line["before"].get("same_file")
            for line in opens] == [None, True, True]
    left = [raw for raw in
            server.audit_path.read_bytes().splitlines(keepends=True)
            if opens[1]["chain"] != json.loads(raw)["chain"]]
    rest = server.dir / "rest"
    rest.write_bytes(b"".join(left))
    code, said = verify(rest)
    assert code == TAMPERED
    assert "wrote to this file, and not one of its lines is left" in said


def test_a_generation_in_the_file_before(nginx):
    """Killed after a rotation, before it wrote a line to the new file."""
    server = place(nginx)
    server.declare(log=["exited on signal 9", "was locked by"])
    written(server)
    server.wait_audit(1, "outcome")
    moved = server.dir / "audit.log.1"
    server.audit_path.rename(moved)
    server.reopen(moved)
    wait_until(lambda: lines_of(moved)[-1]["kind"] == "segment_end")
    (pid,) = server.worker_pids()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server.worker_pids() not in ([], [pid]))
    written(server)
    server.quit()
    (opened,) = [line for line in lines_of(server.audit_path)
                 if line["kind"] == "chain_open"]
    assert "same_file" not in opened["before"]
    code, said = verify(server.audit_path)
    assert code == CLEAN, said
    assert "is in files that were not given" in said


# -- copies in the middle -----------------------------------------------------

def test_copies_at_any_time(nginx):
    """Taken under load, between reloads and kills: whole or torn, no more."""
    server = place(nginx, workers=2)
    server.declare(log=["exited on signal 9", "was locked by"],
                   verify=[CLEAN, EXPLAINED])
    codes = []
    with Crowd(server, [request()], clients=6, keepalive=False,
               pause=0.001) as crowd:
        for number in range(30):
            if number % 10 == 3:
                server.signal(signal.SIGHUP)
            elif number % 10 == 7:
                os.kill(server.worker_pids()[0], signal.SIGKILL)
            copy = server.dir / f"copy.{number}"
            shutil.copy(server.audit_path, copy)
            code, said = verify(copy)
            codes.append(code)
            assert code in (CLEAN, EXPLAINED, TORN), said
    wait_until(lambda: not server.old_worker_pids())
    assert crowd.calls
    assert codes.count(CLEAN) > 3


def test_power_fails_at_any_byte(nginx):
    """The file as it was at some moment, with zeros at its end or without:
    torn at most, also once the next life has written behind it."""
    server = place(nginx, workers=2)
    server.declare(audit_checked=False)
    with Crowd(server, [request()], clients=4, calls=40) as crowd:
        server.reload()
        crowd.stop()
    server.quit()
    whole = server.audit_path.read_bytes()
    server.audit_path.unlink()
    pick = random.Random(7)
    for _ in range(40):
        cut = whole[:pick.randrange(2000, len(whole))]
        zeros = b"\0" * pick.choice([0, 0, 512, 4096, 100000])
        server.audit_path.write_bytes(cut + zeros)
        code, said = verify(server.audit_path)
        assert code in (CLEAN, TORN), said
        if zeros or cut[-1:] != b"\n" and whole[len(cut):][:1] != b"\n":
            assert code == TORN, said
    server.quit_seconds = None
    server.start()
    written(server)
    server.quit()
    code, said = verify(server.audit_path)
    assert code == TORN, said
    assert [json.loads(raw)["kind"] for raw in
            server.audit_path.read_bytes()[len(cut):].split(b"\n")
            if raw.startswith(b"{")].count("decision") == 1


def test_killed_in_the_middle_of_an_upgrade(nginx):
    """Both generations write; then the old one's workers are killed."""
    server = place(nginx, workers=2)
    server.declare(log=["exited on signal 9", "was locked by", "channel",
                        r"recvmsg\(\)", r"sendmsg\(\)"], verify=[CLEAN, TORN])
    with Crowd(server, [request()], clients=6, keepalive=False,
               pause=0.002) as crowd:
        old = server.upgrade(retire=False)
        wait_until(lambda: len(server.worker_pids()) == 2)
        time.sleep(0.1)
        code, said = verify(server.audit_path)
        assert code == CLEAN, said
        victims = processes.children(old)
        os.kill(old, signal.SIGKILL)
        for pid in victims:
            if pid != server.master:
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not processes.alive(old))
        time.sleep(0.1)
    server.quit()
    code, said = verify(server.audit_path)
    assert code in (CLEAN, TORN), said
    events = decided(lines_of(server.audit_path))
    assert {call.event for call in crowd.calls if not call.error} <= set(events)
