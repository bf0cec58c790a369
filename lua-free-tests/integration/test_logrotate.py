"""conf/logrotate, run by logrotate itself while nginx writes."""

import gzip
import subprocess
import time
from pathlib import Path

import pytest

from harness import story
from harness.crowd import Crowd
from harness.settings import CTL, PATIENCE, ROOT, wait_until

ENTRY = ROOT / "conf" / "logrotate" / "nginx-integrity"
DEBIAN = Path("/etc/logrotate.d/nginx")


def logrotate(folder, *words):
    done = subprocess.run(
        ["/usr/sbin/logrotate", "-s", folder / "state", *words],
        capture_output=True, text=True, timeout=60 * PATIENCE, check=False)
    return done.returncode, done.stdout + done.stderr


def entry(server):
    """The shipped one, for this nginx and who runs it."""
    text = ENTRY.read_text()
    for old, new in (("/var/log/nginx/integrity/audit.log",
                      str(server.audit_path)),
                     ("/run/nginx.pid", str(server.dir / "nginx.pid")),
                     ("create 0640 www-data adm", "create 0640")):
        assert text.count(old) in (1, 2, 3), old
        text = text.replace(old, new)
    path = server.dir / "logrotate.conf"
    path.write_text(text)
    path.chmod(0o644)
    return path


def verify(*paths):
    done = subprocess.run([CTL, "verify", *paths], capture_output=True,
                          text=True, timeout=60 * PATIENCE, check=False)
    return done.returncode, done.stdout + done.stderr


def test_rotations_under_load(nginx):
    """Every call has its line in some file, and no chain is broken."""
    server = story.make(nginx, workers=2).start()
    server.declare(audit_checked=False)     # of one file of several
    conf = entry(server)
    requests = [story.review(f"shopper-{number}", f"phone-{number}")
                for number in range(1000)]
    with Crowd(server, requests, clients=4, pause=0.005) as crowd:
        for number in range(3):
            known = set(server.dir.glob("audit.log-*"))
            wait_until(lambda: server.audit_path.stat().st_size)
            code, said = logrotate(server.dir, "-f", conf)
            assert code == 0, said
            wait_until(lambda known=known:
                       set(server.dir.glob("audit.log-*")) - known)
            time.sleep(1.05 - time.time() % 1)      # names are by the second
    assert crowd.errors == []
    server.quit()
    rotated = sorted(server.dir.glob("audit.log-*"))
    assert [path.suffix == ".gz" for path in rotated] == [True, True, False]
    code, said = verify(*rotated, server.audit_path)
    assert code == 0, said
    text = server.audit_path.read_bytes() + b"".join(
        (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
        for path in rotated)
    for call in crowd.calls:
        assert text.count(call.event.encode()) == 2
    assert text.count(b'"kind":"segment_end"') == 3 * 2


@pytest.mark.skipif(not DEBIAN.exists(), reason="no /etc/logrotate.d/nginx")
def test_it_lives_beside_debians_own(folder):
    """An entry for a file that nginx' own pattern takes would be refused."""
    both = folder / "both.conf"
    both.write_text(ENTRY.read_text() + DEBIAN.read_text())
    both.chmod(0o644)
    code, said = logrotate(folder, "-d", both)
    assert (code, "error:" in said) == (0, False), said
