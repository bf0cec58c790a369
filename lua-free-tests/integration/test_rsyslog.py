"""conf/rsyslog, run by rsyslogd itself: the shipped log is still evidence."""

import json
import re
import subprocess

import pytest

from harness import senders, story
from harness.chain import Chain
from harness.ports import free_port
from harness.settings import CTL, PATIENCE, ROOT, wait_until
from test_logrotate import entry, logrotate

CONF = ROOT / "conf" / "rsyslog"


class Rsyslogd:
    """One rsyslogd on a shipped file, with another place and port."""

    def __init__(self, folder, name, replace):
        self.folder = folder / name
        self.folder.mkdir()
        text = (CONF / f"integrity-{name}.conf").read_text()
        for old, new in replace.items():
            assert old in text, old
            text = text.replace(old, str(new))
        self.conf = self.folder / "rsyslog.conf"
        # workDirectory: what Debian's rsyslog.conf sets
        self.conf.write_text(
            text + f'\nglobal(workDirectory="{self.folder}")\n')
        self.process = None

    def start(self):
        checked = subprocess.run(
            ["/usr/sbin/rsyslogd", "-N1", "-f", self.conf],
            capture_output=True, text=True, timeout=60, check=False)
        assert checked.returncode == 0, checked.stderr
        with open(self.folder / "said", "ab") as said:
            self.process = subprocess.Popen(
                ["/usr/sbin/rsyslogd", "-n", "-i", self.folder / "pid", "-f",
                 self.conf], stdin=subprocess.DEVNULL, stdout=said,
                stderr=said)
        wait_until(lambda: (self.folder / "pid").exists()
                   or self.process.poll() is not None, what="rsyslogd")
        assert self.process.poll() is None, self.said()
        return self

    def said(self):
        return (self.folder / "said").read_text()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60 * PATIENCE)


@pytest.fixture
def shipping(folder):
    """A factory: (sender, receiver) for an audit log, not yet started."""
    pair = []

    def make(log):
        port = free_port()
        pair.append(Rsyslogd(folder, "send", {
            "/var/log/nginx/integrity/": f"{log.parent}/",
            "logs.example.net": "127.0.0.1", "10514": port}))
        pair.append(Rsyslogd(folder, "receive", {
            "/var/log/integrity/": f"{folder}/received/", "10514": port}))
        return pair

    yield make
    for one in pair:
        one.stop()


def arrived(folder, paths):
    """Waits until every line is at the receiver, and verifies them there, as
    integrity-receive.conf says: each once, by its chain and number."""
    path = folder / "received" / "127.0.0.1.log"
    sent = b"".join(one.read_bytes() for one in paths).split(b"\n")
    wait_until(lambda: path.exists() and set(path.read_bytes().split(b"\n"))
               >= set(sent), 20, f"{len(sent) - 1} lines at the receiver")
    assert set(path.read_bytes().split(b"\n")) == set(sent)
    text = (CONF / "integrity-receive.conf").read_text()
    (command,) = re.findall(r"^#     (sed .*\n#  .*)$", text, re.M)
    command = "set -o pipefail; " + command.replace("\n#", "\n")
    command = command.replace("integrityctl", str(CTL)).replace("FILE",
                                                                str(path))
    done = subprocess.run(["bash", "-c", command], capture_output=True,
                          text=True, timeout=60 * PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def odd(server):
    """Calls whose fields are not easily carried."""
    for name in ('quote " and \\ and \t tab', "好评", "#012 %msg% <13>1 -",
                 "l" * 250):
        assert server.raw(senders.post_request(
            "/v1/reviews", b'{"merchant":"%s","rating":5}'
            % name.replace("\\", "\\\\").replace('"', '\\"').replace(
                "\t", "\\t").encode(), {"X-Account": "odd"})).status == 201


def rotate(server):
    """By logrotate on the shipped entry."""
    code, said = logrotate(server.dir, "-f", entry(server))
    assert code == 0, said
    (moved,) = server.dir.glob("audit.log-*")
    wait_until(lambda: b"segment_end" in moved.read_bytes())


def test_what_arrives_is_what_was_written(nginx, shipping, folder):
    """Odd bytes, a rotation as shipped, a receiver that comes late."""
    server = story.make(nginx).start()
    server.declare(audit_checked=False)
    sender, receiver = shipping(server.audit_path)
    sender.start()
    odd(server)
    receiver.start()
    story.tell_all(server, rotate)
    server.quit()
    arrived(folder, [*server.dir.glob("audit.log-*"), server.audit_path])


def test_the_longest_lines(shipping, folder):
    """8 KiB each, and a header comes on top of them."""
    chain, log = Chain(), folder / "audit.log"
    lines = [chain.open()]
    for letter in ("x", "\\", "好"):
        line = chain.line("policy", text="")
        chain.seq -= 1
        room = (8192 - len(line)) // (len(json.dumps(letter)) - 2)
        chain.last = json.loads(line)["prev"]
        lines.append(chain.line("policy", text=letter * room))
    assert min(map(len, lines[1:])) > 8180
    log.write_bytes(b"".join([*lines, chain.close()]))
    sender, receiver = shipping(log)
    receiver.start()
    sender.start()
    arrived(folder, [log])


def test_a_restart_of_the_sender_loses_nothing(nginx, shipping, folder):
    server = story.make(nginx).start()
    sender, receiver = shipping(server.audit_path)
    receiver.start()
    sender.start()
    odd(server)
    wait_until((folder / "received" / "127.0.0.1.log").exists, 20)
    sender.stop()
    odd(server)
    sender.start()
    server.quit()
    arrived(folder, server.audit_paths())
