"""Honest histories, made up at random: none of them is called tampered with.

Loads, reloads, kills, restarts, upgrades, rotations, full disks; then what
verify says is held against what the clients got. IG_HONEST_RUNS=200 runs so
many (`make honest`), IG_HONEST_SEED=N begins at another one.
"""

import gzip
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import processes, senders
from harness.crowd import Crowd
from harness.disk import Disk
from harness.sealing import Seal
from harness.settings import CTL, wait_until

RUNS = int(os.environ.get("IG_HONEST_RUNS", "5"))
SEED = int(os.environ.get("IG_HONEST_SEED", "1"))

CLEAN, EXPLAINED, _, TORN, _, _, UNSEALED = range(7)

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
"""

REQUESTS = [senders.post_request("/", b"{}", {
    "X-Account": account, "Connection": "close"}) for account in
    ("ann", "bob", "bad", "cleo")]

# What nginx says of those that were killed.
KILLED = ["exited on signal 9", "was locked by", r"recvmsg\(\)", "channel",
          "sendmsg"]


class History:
    """One nginx and what happens to it, all of it decided by the seed."""

    def __init__(self, nginx, folder, seed):
        self.random = random.Random(seed)
        self.told = []          # the steps, for whoever looks at a failure
        self.disk = None
        self.was_full = False
        self.killed = set()
        self.log = folder / "log" / "audit.log"
        if self.random.random() < 0.4:
            self.disk = Disk(folder / "log", "24m")
        else:
            self.log.parent.mkdir()
        self.segments = 0
        self.workers = self.random.randint(1, 3)
        self.on_error = self.random.choice(["pass", "deny"])
        self.server = nginx(http=HTTP, server=SERVER, workers=self.workers,
                            LOG=self.log, ON_ERROR=self.on_error)
        self.server.declare(log=KILLED, audit_checked=False)
        self.seal = Seal(folder, self.log).start()

    def happens(self):
        """A few steps under load, then a quiet end."""
        steps = [self.rest, self.reload, self.reloads, self.rotate,
                 self.reopen, self.compress, self.upgrade, self.kill_worker,
                 self.kill_worker, self.kill_all, self.kill_master,
                 self.restart, self.kill_seal, self.rest_seal]
        if self.disk and not self.disk.problem:
            steps += [self.full] * 3
        with Crowd(self.server, REQUESTS, clients=4, keepalive=False,
                   pause=0.004) as crowd:
            for _ in range(self.random.randint(3, 7)):
                step = self.random.choice(steps)
                self.told.append(step.__name__)
                step()
                self.rest()
        self.server.quit()
        assert self.seal.stop() == 0, self.seal.said
        return crowd

    def rest(self):
        time.sleep(self.random.uniform(0.0, 0.12))

    # Life

    def wait_workers(self):
        wait_until(lambda: len(self.server.worker_pids()) == self.workers,
                   what="workers")

    def reload(self):
        self.workers = self.random.randint(1, 3)
        self.server.configure(workers=self.workers)
        self.server.reload()
        self.wait_workers()

    def reloads(self):
        """The next comes before the last is over."""
        for _ in range(self.random.randint(3, 8)):
            self.server.signal(signal.SIGHUP)
            time.sleep(self.random.uniform(0.0, 0.03))
        self.server.reload()
        self.wait_workers()

    def upgrade(self):
        old = self.server.upgrade(retire=False)
        self.wait_workers()
        self.rest()
        if self.random.random() < 0.3:
            self.move(old)
        os.kill(old, signal.SIGQUIT)
        wait_until(lambda: not processes.alive(old))

    def restart(self):
        self.server.signal(signal.SIGQUIT)
        wait_until(lambda: not self.server.pids(), what="nginx to quit")
        self.start()

    def start(self):
        (self.server.dir / "nginx.pid").unlink(missing_ok=True)
        self.server.start()
        self.wait_workers()

    # Death

    def kill_worker(self):
        for _ in range(self.random.randint(1, 3)):
            pid = self.random.choice(self.server.worker_pids())
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: not processes.alive(pid))
            self.wait_workers()
        self.killed.add("worker")

    def kill_all(self):
        self.server.kill()
        self.killed.add("all")
        self.start()

    def kill_master(self):
        """Its workers live on until they are told to end, or killed too."""
        workers = self.server.worker_pids()
        os.kill(self.server.master, signal.SIGKILL)
        wait_until(lambda: not processes.alive(self.server.master))
        self.rest()
        number = self.random.choice([signal.SIGQUIT, signal.SIGKILL])
        for pid in workers:
            if processes.alive(pid):
                os.kill(pid, number)
        wait_until(lambda: not self.server.pids(), what="the workers to end")
        if number == signal.SIGKILL:
            self.killed.add("all")
        self.start()

    # The seal

    def kill_seal(self):
        self.seal.kill()
        self.rest()
        self.seal.start()

    def rest_seal(self):
        """It is away while something happens."""
        self.seal.stop()
        self.random.choice([self.reload, self.rotate, self.kill_worker,
                            self.kill_all, self.restart, self.compress])()
        self.seal.start()

    # The file

    def move(self, *masters):
        self.segments += 1
        moved = self.log.with_name(f"audit.log.{self.segments:02}")
        self.log.rename(moved)
        self.rest()
        for master in masters:
            os.kill(master, signal.SIGUSR1)
        self.server.reopen(moved)

    def rotate(self):
        for _ in range(self.random.randint(1, 4)):
            self.move()

    def reopen(self):
        self.server.signal(signal.SIGUSR1)

    def compress(self):
        """The compressed file replaces the other, once the seal has read it:
        logrotate's delaycompress sees to that."""
        for path in sorted(self.log.parent.glob("audit.log.[0-9][0-9]")):
            chosen = self.random.random() < 0.7
            if self.disk is None and chosen and self.is_sealed(path):
                packed = path.with_name(path.name + ".gz")
                packed.write_bytes(gzip.compress(path.read_bytes(), 1))
                path.unlink()

    def is_sealed(self, path):
        """Waits for it; True where there is no seal to wait for."""
        ends = {line["chain"]: line["seq"] for line in lines_of(path)}

        def sealed():
            known = self.seal.sealed()
            return all(known.get(chain, 0) >= seq
                       for chain, seq in ends.items())

        if self.seal.process is not None:
            wait_until(sealed, what=f"{path} to be sealed")
        return True

    def full(self):
        self.was_full = True
        self.disk.fill(self.random.choice([0, 0, 1, 2]))
        time.sleep(self.random.uniform(0.05, 0.2))
        if self.random.random() < 0.3:
            self.random.choice([self.kill_worker, self.reload, self.kill_all,
                                self.restart, self.reopen])()
            self.told.append("while full")
        self.disk.empty()

    # The truth

    def paths(self):
        return sorted(self.log.parent.glob("audit.log*"))

    def lines(self):
        """Every whole line of every file."""
        return [line for path in self.paths() for line in lines_of(path)]


def lines_of(path):
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    found = []
    for raw in data.split(b"\n"):
        try:
            found.append(json.loads(raw))
        except ValueError:
            pass
    return found


def verify(history):
    """Exit code and report."""
    done = subprocess.run([CTL, "verify", "--json", "--all",
                           *history.paths()], capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, json.loads(done.stdout)


def check_sealed(history):
    """Nor is anybody accused where the seal speaks of the log."""
    code, said = history.seal.verify("--all", *history.paths())
    assert code in (CLEAN, EXPLAINED, TORN, UNSEALED), said
    found = [line for line in history.seal.lines()
             if line["kind"] == "finding" and line["level"] != "note"]
    assert not found
    return code, said


def chains_of(lines):
    """{chain: its lines by number}, without those whose newline was lost."""
    chains = {}
    for line in lines:
        chains.setdefault(line["chain"], {})[line["seq"]] = line
    for own in chains.values():
        for line in list(own.values()):
            for number in range(line["seq"] - line.get("dropped", 0),
                                line["seq"]):
                own.pop(number, None)
    return chains


def losses(chains):
    """Numbers that are missing within chains, and at their ends."""
    within = sum(max(own) - len(own) for own in chains.values() if own)
    ends = 0
    for own in chains.values():
        for line in own.values():
            before = line.get("before")
            if before:
                seen = chains.get(before["chain"]) or {0: None}
                ends += max(0, before["issued"] - max(seen))
    return within, ends


def check(history, crowd):
    """Returns (result, lost, torn) once it has been found to be true."""
    code, report = verify(history)
    said = json.dumps(report["findings"], indent=1)
    assert code in (CLEAN, EXPLAINED, TORN), said
    chains = chains_of(history.lines())
    check_losses(history, chains, report)
    sealed, words = check_sealed(history)
    assert sealed in (code, UNSEALED), words
    logged = [line["event"] for own in chains.values()
              for line in own.values() if line["kind"] == "decision"]
    assert len(set(logged)) == len(logged), "decided twice"
    answered = {call.event for call in crowd.calls if call.status and not (
        call.status == 503 and history.on_error == "deny")}
    assert answered
    missing = answered - set(logged)
    if not history.was_full:
        assert not missing, "a crash alone loses no answered call"
    if code in (CLEAN, EXPLAINED):
        assert len(missing) <= report["lost"], said
    if "all" not in history.killed:
        check_without_a_crash(history, code, report)
    return code, report["lost"], report["torn"], sealed


def check_losses(history, chains, report):
    within, ends = losses(chains)
    assert within <= report["lost"] <= within + ends
    if not history.was_full and not history.killed:
        assert report["lost"] == report["torn"] == 0


def check_without_a_crash(history, code, report):
    """Only what ends with everything killed, or in a full disk, is torn."""
    if not history.was_full and "upgrade" not in history.told:
        assert code != TORN or report["torn"], report["findings"]
    if not history.was_full and not history.killed:
        assert code == CLEAN, report["findings"]


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_an_honest_history(nginx, folder, seed, record_property):
    history = History(nginx, folder, seed)
    try:
        crowd = history.happens()
        result = check(history, crowd)
    except BaseException:
        print(f"seed {seed}: {' '.join(history.told)}")
        raise
    finally:
        history.server.quit()
        history.seal.kill()
        if history.disk:
            history.disk.unmount()
    record_property("result", "%d lost %d torn %d sealed %d" % result)
    if os.environ.get("IG_HONEST_LOG"):
        with Path(os.environ["IG_HONEST_LOG"]).open("a") as log:
            log.write(f"{seed} {' '.join(map(str, result))} "
                      f"{len(crowd.calls)} {' '.join(history.told)}\n")
