"""The audit log's file: rotated, full, torn, unwritable, no file at all."""

import json
import os
import re
import signal
import stat
import subprocess
import time
from collections import Counter

import pytest

from harness import senders
from harness.crowd import Crowd
from harness.disk import Disk
from harness.settings import CTL, wait_until

HTTP = """
    integrity_zone    integrity:4m new_keys=1000000;
    integrity_secret  %%SECRET%%;
    integrity_field   account $http_x_account;
    integrity_counter calls key=account window=1h;
    integrity_rule    banned "account == 'bad'" then=deny;

    server {
        listen 127.0.0.1:%%PORT_APP%%;
        return 201;
    }
"""

SERVER = """
        add_header X-Event $integrity_event_id always;
        integrity        on;
        integrity_action review.create;
        location / {
            integrity_audit  %%LOG%% on_error=%%ON_ERROR%%;
            proxy_pass       http://127.0.0.1:%%PORT_APP%%;
        }
        location = /status {
            integrity off;
            integrity_status;
        }
"""


def request(account="a"):
    return senders.post_request("/", b"{}", {"X-Account": account})


def place(nginx, log="%%AUDIT%%", on_error="pass", more="", http=HTTP,
          **parts):
    return nginx(http=http, server=SERVER.replace("%%LOG%%", str(log)) + more,
                 ON_ERROR=on_error, **parts)


def status(server):
    return server.get("/status").json()


def lines_of(*paths):
    """Every whole line, oldest file first."""
    found = []
    for path in paths:
        for raw in path.read_bytes().split(b"\n"):
            try:
                found.append(json.loads(raw))
            except ValueError:
                pass
    return found


def disowned(lines):
    """Lines whose newline alone was cut off: their chain calls them lost."""
    last, found = {}, []
    for line in lines:
        before = last.get(line["chain"])
        if before and before["seq"] >= line["seq"] - line.get("dropped", 0):
            found.append(before)
        last[line["chain"]] = line
    return found


def decided(lines):
    """{event: its decision line}; none is there twice."""
    lost = disowned(lines)
    decisions = [line for line in lines
                 if line["kind"] == "decision" and line not in lost]
    events = {line["event"]: line for line in decisions}
    assert len(events) == len(decisions)
    return events


def verify(*paths):
    done = subprocess.run([CTL, "verify", *paths], capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


# -- rotation ---------------------------------------------------------------

def test_rotation_under_load(nginx):
    """Every call has its line, in some file; none of them breaks the chain."""
    server = place(nginx, workers=2)
    with Crowd(server, [request()], clients=6, pause=0.005) as crowd:
        for number in range(50):
            time.sleep(0.01)
            moved = server.dir / f"audit.log.{number:02}"
            server.audit_path.rename(moved)
            server.reopen(moved)
    assert crowd.errors == []
    server.quit()
    lines = server.audit_lines()
    assert set(decided(lines)) == {call.event for call in crowd.calls}
    for path in server.audit_paths()[:-1]:
        kinds = [line["kind"] for line in lines_of(path)]
        assert kinds.count("segment_end") == 2
    code, said = verify(*server.audit_paths())
    assert code == 0, said


def test_rotation_without_a_move(nginx):
    """USR1 alone: the same file goes on."""
    server = place(nginx)
    for _ in range(3):
        server.raw(request())
        inode = server.audit_path.stat().st_ino
        server.reopen()
        wait_until(lambda: "segment_end" in [line["kind"] for line
                                             in server.audit_lines()][-2:])
        assert server.audit_path.stat().st_ino == inode
    server.raw(request())
    server.quit()
    assert len(decided(server.audit_lines())) == 4


def test_an_exiting_worker_finds_the_new_file(nginx, app):
    """A worker on its way out writes its last lines where they belong."""
    server = place(nginx, more="""
        location /slow { integrity_audit %%AUDIT%%; proxy_pass http://%%APP%%; }
    """, APP=app)
    app.answer(201, delay=1.0)
    with server.connect() as sock:
        sock.sendall(senders.post_request("/slow", b"{}"))
        server.wait_audit(1)
        server.reload(wait_old=False)
        moved = server.dir / "audit.log.1"
        server.audit_path.rename(moved)
        server.reopen(moved)
        assert sock.recv(65536).startswith(b"HTTP/1.1 201 ")
    wait_until(lambda: not server.old_worker_pids())
    server.quit()
    (outcome,) = [line for line in lines_of(server.audit_path)
                  if line["kind"] == "outcome"]
    assert outcome["event"] in decided(lines_of(moved))


needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can start workers as somebody else")


@needs_root
def test_rotation_for_workers_of_another_user(nginx):
    server = place(nginx, user="www-data", workers=2)
    with Crowd(server, [request()], clients=4, pause=0.005) as crowd:
        for number in range(3):
            time.sleep(0.05)
            moved = server.dir / f"audit.log.{number}"
            server.audit_path.rename(moved)
            server.reopen(moved)
    assert crowd.errors == []
    server.quit()
    assert set(decided(server.audit_lines())) \
        == {call.event for call in crowd.calls}
    assert server.audit_path.owner() == "www-data"


@needs_root
def test_a_rotation_that_the_workers_cannot_follow(nginx):
    """They may not enter the folder: they go on in the file they have."""
    server = place(nginx, "%%DIR%%/locked/audit.log", user="www-data",
                   start=False)
    folder = server.dir / "locked"
    folder.mkdir(mode=0o700)
    server.start()
    server.declare(log=[r"\[emerg\] .*Permission denied"])
    log, moved = folder / "audit.log", folder / "audit.log.1"
    assert server.raw(request()).status == 201
    log.rename(moved)
    server.signal(signal.SIGUSR1)
    server.wait_log(r"\[emerg\] .*locked")
    assert server.raw(request()).status == 201
    server.quit()
    assert len(decided(lines_of(moved))) == 2
    assert [line["kind"] for line in lines_of(moved)].count(
        "segment_start") == 1
    code, said = verify(moved, log)
    assert code == 0, said


# -- a file that cannot be ---------------------------------------------------

@pytest.mark.parametrize("kind,said", [
    ("folder", r"(Is a directory|not a regular file)"),
    ("device", r"not a regular file"),
    ("pipe", r"not a regular file"),
    ("link", r"not a regular file"),
    ("nowhere", r"No such file or directory"),
])
def test_no_regular_file(nginx, kind, said):
    server = place(nginx, "%%DIR%%/odd" + "/odd" * (kind == "nowhere"),
                   start=False)
    path = server.dir / "odd"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    elif kind == "link":
        path.symlink_to("/dev/full")
    code, text = server.test()
    assert code != 0
    assert re.search(said, text), text
    server.declare(log=[said])
    assert "Sanitizer" not in text


def test_a_pipe_in_its_place_is_no_log(nginx):
    """After a rotation: what a log was is now a device that swallows all."""
    server = place(nginx, on_error="deny")
    assert server.raw(request()).status == 201
    moved = server.dir / "audit.log.1"
    server.audit_path.rename(moved)
    server.audit_path.symlink_to("/dev/null")
    server.reopen(moved)
    assert server.raw(request()).status == 503
    server.wait_log("not a regular file")
    server.audit_path.unlink()
    server.signal(signal.SIGUSR1)
    wait_until(lambda: server.raw(request()).status == 201)
    server.quit()
    server.declare(verify=[1])
    lines = server.audit_lines()
    assert {line["counter"]["calls"] for line in decided(lines).values()} \
        == {1, 2}
    assert sum(line.get("dropped", 0) for line in lines) > 0


# -- full --------------------------------------------------------------------

@pytest.fixture
def disk(folder):
    """A disk of 4 MiB of its own."""
    own = Disk(folder / "disk")
    if own.problem:
        pytest.skip(f"cannot mount a tmpfs here: {own.problem}")
    yield own
    own.unmount()


class Ledger:
    """The answers beside the lines of the log."""

    def __init__(self, server, log, crowd):
        server.quit()
        self.log = log
        self.lines = lines_of(log)
        self.decided = decided(self.lines)
        self.calls = crowd.calls
        assert crowd.errors == []

    def dropped(self):
        return sum(line.get("dropped", 0) for line in self.lines)

    def check_chain(self):
        (close,) = [line for line in self.lines
                    if line["kind"] == "chain_close"]
        assert close["issued"] == close["seq"]
        assert close["lost"] == self.dropped() > 0
        code, said = verify(self.log)
        assert code == 1, said


def test_full_and_pass(nginx, disk):
    log = disk.path / "audit.log"
    server = place(nginx, log)
    with Crowd(server, [request(f"a{number}") for number in range(100)],
               clients=4, pause=0.005) as crowd:
        time.sleep(0.05)
        disk.fill()
        server.wait_log("audit lines were not written")
        time.sleep(0.2)
        disk.empty()
        before = len(lines_of(log))
        wait_until(lambda: len(lines_of(log)) > before)
        metrics = status(server)["audit"]
    ledger = Ledger(server, log, crowd)
    assert {call.status for call in crowd.calls} == {201}
    ledger.check_chain()
    assert 0 < len(ledger.decided) < len(crowd.calls)
    assert metrics["dropped"] > 0


@pytest.mark.parametrize("pages", [0, 1])
def test_full_and_deny(nginx, disk, pages):
    """Refused are the calls whose own line is lost, and they alone."""
    log = disk.path / "audit.log"
    server = place(nginx, log, on_error="deny")
    with Crowd(server, [request()], clients=8, pause=0.005) as crowd:
        time.sleep(0.05)
        disk.fill(pages)
        server.wait_log("audit lines were not written")
        time.sleep(0.2)
        disk.empty()
        before = len(lines_of(log))
        wait_until(lambda: len(lines_of(log)) > before)
    # how many are counted
    server.raw(request())
    ledger = Ledger(server, log, crowd)
    assert {call.status for call in crowd.calls} == {201, 503}
    for call in crowd.calls:
        assert (call.status == 201) == (call.event in ledger.decided), call
    accepted = sum(call.status == 201 for call in crowd.calls)
    last = [line for line in ledger.lines if line["kind"] == "decision"][-1]
    assert last["counter"]["calls"] == accepted + 1
    ledger.check_chain()


def test_full_again_and_again(nginx, disk):
    """Each time it fills up, a line is torn somewhere; the next heals it."""
    log = disk.path / "audit.log"
    server = place(nginx, log, on_error="deny", workers=2)
    with Crowd(server, [request()], clients=6, pause=0.005) as crowd:
        for _ in range(12):
            dropped = status(server)["audit"]["dropped"]
            disk.fill()
            wait_until(lambda dropped=dropped:
                       status(server)["audit"]["dropped"] > dropped + 20)
            # the log itself gives the room: as a rotation to elsewhere does
            disk.empty()
            lines = status(server)["audit"]["lines"]
            wait_until(lambda lines=lines:
                       status(server)["audit"]["lines"] > lines)
    server.quit()
    answered = {call.event: call.status for call in crowd.calls}
    lines = lines_of(log)
    assert {event for event, code in answered.items() if code == 201} \
        == {event for event in decided(lines) if event in answered}
    code, said = verify(log)
    assert code == 1, said


def test_full_from_the_beginning(nginx, disk):
    """Not even chain_open was written: it comes before anything else."""
    log = disk.path / "audit.log"
    disk.fill()
    server = place(nginx, log, on_error="deny")
    assert server.raw(request()).status == 503
    disk.empty()
    assert server.raw(request()).status == 201
    server.quit()
    lines = lines_of(log)
    assert [line["kind"] for line in lines][:2] == ["chain_open", "policy"]
    assert lines[0]["dropped"] == lines[0]["seq"] - 1 > 0
    code, said = verify(log)
    assert code == 1, said


def test_full_across_a_rotation(nginx, disk):
    """The new file is on a disk with room."""
    log = disk.path / "audit.log"
    server = place(nginx, log, on_error="deny")
    assert server.raw(request()).status == 201
    disk.fill()
    wait_until(lambda: server.raw(request()).status == 503)
    moved = disk.path / "audit.log.1"
    log.rename(moved)
    log.symlink_to(server.dir / "elsewhere.log")
    server.reopen(moved)
    wait_until(lambda: server.raw(request()).status == 201)
    server.quit()
    code, said = verify(moved, server.dir / "elsewhere.log")
    assert code == 1, said


def test_two_logs_and_one_is_full(nginx, disk):
    """One log's loss is not the other's."""
    full = disk.path / "full.log"
    server = place(nginx, full, on_error="deny", more="""
        location /good {
            integrity_audit  %%AUDIT%% on_error=deny;
            proxy_pass       http://127.0.0.1:%%PORT_APP%%;
        }
    """)
    other = senders.post_request("/good", b"{}", {"X-Account": "b"})
    with Crowd(server, [request(), other], clients=6, pause=0.005) as crowd:
        for _ in range(5):
            time.sleep(0.05)
            disk.fill()
            time.sleep(0.1)
            disk.empty()
    server.raw(request())
    server.quit()
    assert {call.status for call in crowd.calls if call.request == 0} \
        == {201, 503}
    assert {call.status for call in crowd.calls if call.request == 1} == {201}
    code, said = verify(full)
    assert code == 1, said
    # the other's torn lines are not mended here
    assert b"\n\n" not in server.audit_path.read_bytes()


@pytest.mark.parametrize("on_error", ["pass", "deny"])
def test_full_and_over_a_limit(nginx, disk, on_error):
    """A line that stands for many calls, and was lost, stands for no more."""
    log = disk.path / "audit.log"
    server = place(nginx, log, on_error=on_error, http=HTTP.replace(
        "\"account == 'bad'\" then=deny", "'calls > 5' then=throttle"))
    with Crowd(server, [request()], clients=2, pause=0.005) as crowd:
        time.sleep(0.1)
        disk.fill()
        server.wait_log("audit lines were not written")
        time.sleep(1.2)
        disk.empty()
        time.sleep(0.3)
    server.quit()
    lines = lines_of(log)
    told = {event: 1 for event in decided(lines)}
    for line in lines:
        if line["kind"] == "repeat":
            told[line["event"]] += line["count"]
    seen = Counter(call.event for call in crowd.calls if call.event in told)
    assert set(seen) == set(told)
    # but for those whose repeat line was lost, which was told
    short = [event for event in told if told[event] != seen[event]]
    assert {told[event] for event in short} <= {1}
    assert len(short) < sum(line.get("dropped", 0) for line in lines)
    assert max(told.values()) > 10
    lost = [call for call in crowd.calls if call.event not in told]
    assert len(lost) > 10
    assert {call.status for call in lost} \
        == ({503} if on_error == "deny" else {429})
