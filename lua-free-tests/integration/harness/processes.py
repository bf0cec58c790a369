"""What /proc says of the processes a test started."""

import ctypes
import os
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Makes this process the parent of grandchildren whose parent ends.

    A daemon's parent ends at once, and after a binary upgrade the new nginx
    master outlives the old one; adopted, both can be waited for.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _stat(pid):
    """(state, parent, session), or None for a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[3])


def alive(pid):
    """Whether pid runs; a zombie does not."""
    stat = _stat(pid)
    return stat is not None and stat[0] != "Z"


def state(pid):
    """R, S, D, T (stopped), Z, or None for a process that is gone."""
    stat = _stat(pid)
    return stat and stat[0]


def reap(session):
    """Waits for the session's zombies adopted here: {pid: exit status}."""
    ended = {}
    for pid in _pids():
        if _stat(pid) == ("Z", os.getpid(), session):
            _, status = os.waitpid(pid, 0)
            ended[pid] = os.waitstatus_to_exitcode(status)
    return ended


def of_session(session):
    """The processes of a session that are still alive."""
    return [pid for pid in _pids()
            if (stat := _stat(pid)) and stat[2] == session and alive(pid)]


def children(parent):
    return [pid for pid in _pids()
            if (stat := _stat(pid)) and stat[1] == parent and stat[0] != "Z"]


def _pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def title(pid):
    """The command line, which nginx sets to what the process is."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return text.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")


def descriptors(pid):
    """{descriptor: what it is open on} of a process."""
    found = {}
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, ProcessLookupError):
        return found
    for name in names:
        try:
            found[int(name)] = os.readlink(f"{folder}/{name}")
        except FileNotFoundError:
            pass
    return found


def cpu_seconds(pid):
    """CPU time a process used, by the scheduler's accounting, in seconds."""
    text = Path(f"/proc/{pid}/schedstat").read_text()
    return int(text.split()[0]) / 1e9
