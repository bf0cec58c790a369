"""Free ports for servers that cannot choose their own.

A port is taken below the kernel's ephemeral range, where no outgoing
connection lands, and stays locked by a file until this process ends: tests of
other processes on the machine cannot be given the same one.
"""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

FIRST, LAST = 10000, 31999

_held = {}


def _lock(port):
    folder = Path(tempfile.gettempdir()) / f"ig-ports.{os.getuid()}"
    folder.mkdir(exist_ok=True)
    handle = open(folder / str(port), "w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    return handle


def _bindable(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """A TCP port of 127.0.0.1 that is this process's until it ends."""
    for _ in range(1000):
        port = random.randint(FIRST, LAST)
        if port in _held:
            continue
        handle = _lock(port)
        if handle is None:
            continue
        _held[port] = handle
        if _bindable(port):
            return port
    raise RuntimeError("no free port found")
