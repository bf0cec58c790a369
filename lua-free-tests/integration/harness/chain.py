"""Audit chains written by another hand than the module's: for the verifier.

The format, from the schema's descriptions alone: every line ends with "chain",
"seq", "dropped" after a loss, "prev" and "hash", which is SHA-256 over the
bytes of the line before `,"hash":`.
"""

import hashlib
import json
import secrets

ZERO = "0" * 64


def sealed(members, prev):
    """The line for these members, and its hash."""
    text = json.dumps({**members, "prev": prev}, separators=(",", ":"))
    body = text[:-1].encode()
    digest = hashlib.sha256(body).hexdigest()
    return body + b',"hash":"' + digest.encode() + b'"}\n', digest


class Chain:
    """One worker's chain; each method returns the bytes of a line."""

    def __init__(self, slot="edge-1/0", clock=0):
        self.id = f"{slot}/{secrets.token_hex(8)}"
        self.seq = 0
        self.last = ZERO
        self.dropped = 0
        self.lost = 0
        self.clock = clock

    def line(self, kind, **members):
        """Seals a line of any kind as the next one of the chain."""
        self.clock += 1
        self.seq += 1
        minutes, seconds = divmod(self.clock, 60)
        whole = {"v": 1, "kind": kind,
                 "time": f"2026-11-23T12:{minutes:02}:{seconds:02}.000Z",
                 **members, "chain": self.id, "seq": self.seq}
        if self.dropped:
            whole["dropped"] = self.dropped
            self.dropped = 0
        data, self.last = sealed(whole, self.last)
        return data

    def lose(self, count=1):
        """Numbers that are burnt: their lines never reached the file."""
        self.seq += count
        self.dropped += count
        self.lost += count

    def open(self, before=None):
        return self.line("chain_open", version="0.1.0", policy="0" * 16,
                         before=before)

    def outcome(self, status=201):
        return self.line("outcome", event="01KARZ3NDEKTSV4RRFFQ69G5FA",
                         status=status, duration_ms=3)

    def segment_end(self):
        return self.line("segment_end")

    def segment_start(self):
        return self.line("segment_start")

    def close(self):
        return self.line("chain_close", issued=self.seq + 1, lost=self.lost)

    def witness(self, closed=False, issued=None):
        """What a successor's chain_open says of this chain."""
        return {"chain": self.id, "state": "closed" if closed else "open",
                "issued": self.seq if issued is None else issued,
                "written": self.seq, "last": self.last}

    def whole(self, outcomes=3, before=None):
        """A list of lines from open to close."""
        return [self.open(before), *(self.outcome() for _ in range(outcomes)),
                self.close()]
