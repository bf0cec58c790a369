"""The desk's subcommands run on audit logs."""

import json
import subprocess

from .settings import CTL, PATIENCE


def ctl(*arguments, stdin=None):
    """(exit code, what it printed, what it said)."""
    done = subprocess.run([str(CTL), *map(str, arguments)], input=stdin,
                          capture_output=True, timeout=60 * PATIENCE,
                          check=False)
    return (done.returncode, done.stdout.decode(errors="surrogateescape"),
            done.stderr.decode(errors="surrogateescape"))


def lines(*arguments, code=0):
    """What a subcommand prints as JSON Lines; nothing may be said."""
    status, out, err = ctl(*arguments)
    assert (status, err) == (code, "")
    return [json.loads(line) for line in out.splitlines()]
