"""A sealing process, what it wrote, and checkpoints forged by another hand."""

import hashlib
import json
import signal
import subprocess

from .settings import CTL, wait_until


def new_key(path):
    """Makes PATH and PATH.pub; returns PATH."""
    subprocess.run([CTL, "keys", "seal", path], check=True, timeout=30)
    return path


class Seal:
    """`integrityctl seal` of some logs into a file; start it, stop it."""

    def __init__(self, folder, *logs, key=None, options=()):
        self.dir = folder
        self.path = folder / "checkpoints"
        self.key = key or new_key(folder / "seal.key")
        self.command = [CTL, "seal", "--key", self.key, "--checkpoints",
                        self.path, "--origin", "edge-1", "--every", "100ms",
                        *options, *logs]
        self.process = None

    @property
    def public(self):
        return self.key.with_name(self.key.name + ".pub")

    @property
    def said(self):
        return (self.dir / "seal.err").read_text()

    def start(self):
        with open(self.dir / "seal.err", "ab") as stderr:
            self.process = subprocess.Popen(
                list(map(str, self.command)), stdout=subprocess.DEVNULL,
                stderr=stderr)
        return self

    def once(self, *more):
        """Seals what is there: (exit code, what it said)."""
        done = subprocess.run([*map(str, self.command), "--once",
                               *map(str, more)],
                              capture_output=True, text=True, timeout=60,
                              check=False)
        return done.returncode, done.stderr

    def stop(self):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        code = self.process.wait(30)
        self.process = None
        return code

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)

    def lines(self):
        """What is in the file of checkpoints, as dicts."""
        if not self.path.exists():
            return []
        return [json.loads(raw) for raw in
                self.path.read_bytes().split(b"\n")[:-1] if raw]

    def sealed(self):
        """{chain: the last line sealed of it}."""
        return {chain["id"]: chain["seq"] for line in self.lines()
                for log in line.get("log", ()) for chain in log["chain"]}

    def findings(self):
        return [line["text"] for line in self.lines()
                if line["kind"] == "finding"]

    def wait_for(self, count, timeout=15):
        """Until `count` lines of audit logs are sealed."""
        wait_until(lambda: sum(self.sealed().values()) >= count, timeout,
                   f"{count} sealed lines")

    def verify(self, *arguments, key=None):
        """(exit code, what verify said) of the logs and this file."""
        done = subprocess.run(
            [CTL, "verify", "--checkpoints", self.path, "--key",
             key or self.public, *map(str, arguments)], capture_output=True,
            text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr


def signed(key, members):
    """A line of checkpoints signed by openssl."""
    text = json.dumps(members, separators=(",", ":"))[:-1].encode()
    body = key.with_name("signing")
    body.write_bytes(text)
    sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey",
                          key, "-in", body], capture_output=True, check=True,
                         timeout=30).stdout
    return text + b',"sig":"' + sig.hex().encode() + b'"}\n'


def resigned(key, lines):
    """All these lines (bytes) anew, linked and signed with another key."""
    pem = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform",
                          "DER"], capture_output=True, check=True,
                         timeout=30).stdout
    name = hashlib.sha256(pem[-32:]).hexdigest()[:16]
    prev, found = "0" * 64, []
    for raw in lines:
        members = {**json.loads(raw), "key": name, "prev": prev}
        del members["sig"]
        found.append(signed(key, members))
        prev = hashlib.sha256(found[-1][:-1]).hexdigest()
    return found
