"""Several workers, reloads, and one process that is everything."""

import signal
import subprocess
import threading

import pytest

from harness import settings
from harness.answer import Answers
from harness.ledger import POLICY, aborted, ledger
from harness.senders import post_request
from harness.settings import wait_until

SERVER = """
    listen 127.0.0.1:%%PORT%% reuseport;
    integrity on; integrity_action order.create;
    location / { proxy_pass http://%%APP%%; }
    location /status { integrity off; integrity_status; }
"""


def post(server, account="ann", path="/"):
    return server.post(path, headers={"X-Account": account}).status_code


def hammer(server, threads, each):
    """Calls from many connections at once; the statuses."""
    seen = []

    def run():
        for _ in range(each):
            seen.append(server.raw(post_request("/", b"", {
                "X-Account": "ann"})).status)

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return seen


def test_workers_share_counters_and_have_chains_of_their_own(nginx, app):
    server = nginx(http=POLICY, server=SERVER, workers=3, APP=app)
    assert hammer(server, 6, 20) == [200] * 120
    assert server.get("/status").json()["calls"]["calls"] == 120
    entries = ledger(server)
    assert sorted(entry.calls for entry in entries) == list(range(1, 121))
    chains = {entry["chain"] for entry in entries}
    assert len(chains) > 1
    opened = server.audit_lines("chain_open")
    assert len({line["chain"] for line in opened}) == 3
    assert chains <= {line["chain"] for line in opened}
    assert len(server.audit_lines("chain_close")) == 3


def test_a_reload_keeps_counters_and_names_the_predecessor(nginx, app):
    server = nginx(http=POLICY, server=SERVER, APP=app)
    assert [post(server) for _ in range(3)] == [200] * 3
    for _ in range(2):
        server.reload()
        assert post(server) == 200
    assert [entry.calls for entry in ledger(server)] == [1, 2, 3, 4, 5]
    opened = server.audit_lines("chain_open")
    closed = {line["chain"] for line in server.audit_lines("chain_close")}
    assert len(opened) == len(closed) == 3
    assert opened[0]["before"] is None
    for older, younger in zip(opened, opened[1:]):
        assert younger["before"]["chain"] == older["chain"]
    assert len(server.audit_lines("policy")) == 3


def test_a_reload_under_load_loses_nothing(nginx, app):
    server = nginx(http=POLICY, server=SERVER, workers=2, APP=app)
    done = []
    load = threading.Thread(target=lambda: done.extend(hammer(server, 4, 50)))
    load.start()
    for _ in range(3):
        server.reload(wait_old=False)
    load.join()
    assert done == [200] * 200
    entries = ledger(server)
    assert sorted(entry.calls for entry in entries) == list(range(1, 201))


def test_a_changed_counter_starts_anew_and_others_stay(nginx, app):
    policy = POLICY + """
        integrity_counter other key=account window=2h exact count=attempts;
        integrity_rule    read  "other > 1000" then=deny;
    """
    server = nginx(http=policy, server=SERVER, APP=app)
    assert [post(server) for _ in range(3)] == [200] * 3
    server.configure(http=policy.replace("window=2h", "window=3h")
                     + "integrity_threshold unused 1;")
    server.reload()
    assert post(server) == 200
    server.configure(http=policy)
    server.reload()
    assert post(server) == 200
    assert [(entry["counter"]["calls"], entry["counter"]["other"])
            for entry in ledger(server)] == [(1, 1), (2, 2), (3, 3), (4, 1),
                                             (5, 4)]


def test_a_zone_of_another_size_starts_anew(nginx, app):
    server = nginx(http=POLICY, server=SERVER, APP=app)
    assert [post(server) for _ in range(2)] == [200] * 2
    server.configure(http=POLICY.replace("integrity:4m", "integrity:5m"))
    server.reload()
    assert post(server) == 200
    assert [entry.calls for entry in ledger(server)] == [1, 2, 1]


def test_the_policy_in_force_is_in_the_log(nginx, app):
    server = nginx(http=POLICY, server=SERVER, APP=app)
    assert post(server, "bad") == 403
    server.configure(http=POLICY.replace("'bad'", "'worse'"))
    server.reload()
    assert post(server, "bad") == 200
    entries = ledger(server)
    texts = {line["policy"]: line["text"]
             for line in server.audit_lines("policy")}
    assert len(texts) == 2
    assert "'bad'" in texts[entries[0]["policy"]]
    assert "'worse'" in texts[entries[1]["policy"]]


def test_a_call_that_outlives_a_reload(nginx, app):
    app.answer(delay=1.0, path="/slow")
    server = nginx(http=POLICY, server=SERVER, APP=app)
    with server.connect() as sock:
        sock.sendall(post_request("/slow", b"", {"X-Account": "ann"}))
        wait_until(lambda: app.of("/slow"))
        server.reload(wait_old=False)
        assert post(server) == 200
        assert Answers(sock).next().status == 200
    entries = ledger(server)
    assert [entry.calls for entry in entries] == [1, 2]
    assert entries[0]["chain"] != entries[1]["chain"]
    assert entries[0].outcome["chain"] == entries[0]["chain"]


# master_process off


class Single:
    """nginx as one process in the foreground."""

    def __init__(self, server):
        self.server = server
        text = server.conf_path.read_text()
        self.fix(text)
        self.process = subprocess.Popen(
            server._command(), stdin=subprocess.DEVNULL,
            stderr=open(server.dir / "stderr.log", "ab"),
            env=server._environment())
        wait_until(self.accepts, what="nginx to accept")

    def fix(self, text):
        self.server.conf_path.write_text(
            text.replace("daemon on;", "daemon off;")
            .replace("master_process on;", "master_process off;"))

    def accepts(self):
        assert self.process.poll() is None, self.server.error_log
        try:
            self.server.connect().close()
        except OSError:
            return False
        return True

    def configure(self, **parts):
        self.server.configure(**parts)
        self.fix(self.server.conf_path.read_text())

    def reload(self):
        chains = len(self.server.audit_lines("chain_open"))
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.process.poll() is not None or len(
            self.server.audit_lines("chain_open")) > chains, what="a reload")
        assert self.process.poll() is None, self.server.error_log

    def quit(self):
        assert self.process.poll() is None, self.process.returncode
        self.process.send_signal(signal.SIGQUIT)
        assert self.process.wait(20 * settings.PATIENCE) == 0


@pytest.fixture
def single(nginx):
    processes = []

    def make(**parts):
        processes.append(Single(nginx(start=False, **parts)))
        return processes[-1]

    yield make
    for one in processes:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


# nginx 1.22 itself accepts no connection after such a reload: its listening
# sockets are registered at the start alone. What is ours must not crash, and
# must write its log to the end.


def test_one_process_reloads(single, app):
    one = single(http=POLICY, server=SERVER.replace("reuseport", ""), APP=app)
    server = one.server
    assert [post(server), post(server, "bad")] == [200, 403]
    for _ in range(3):
        one.reload()
    one.quit()
    assert [line["counter"]["calls"]
            for line in server.audit_lines("decision")] == [1, 1]
    opened = server.audit_lines("chain_open")
    assert [line["before"] and line["before"]["chain"] for line in opened] \
        == [None] + [line["chain"] for line in opened[:-1]]
    assert len(server.audit_lines("chain_close")) == 4


@pytest.mark.parametrize("reloads", [1, 2])
def test_one_process_reloads_under_calls_in_flight(single, app, reloads):
    # Root cause: requests and connections of the old configuration met the
    # new one's audit files, metrics and policy, which have other numbers.
    app.answer(delay=0.7, path="/slow")
    many = "".join(f'integrity_rule r{n} "calls > {n + 900}" then=deny'
                   f" on=a.{n};" for n in range(60))
    first = SERVER.replace("reuseport", "") + """
        location /slow { integrity_audit %%DIR%%/second.log;
                         proxy_pass http://%%APP%%; }
        location /body { integrity_audit %%DIR%%/third.log;
                         proxy_pass http://%%APP%%; }
    """
    one = single(http=many + POLICY + "integrity_field rating json:/rating;",
                 server=first, APP=app)
    server = one.server
    server.declare(log=["worker_connections are not enough"])
    body = post_request("/body", b'{"rating":1}', {"X-Account": "ann"})
    with server.connect() as slow, server.connect() as half, \
            server.connect() as idle:
        idle_answers = Answers(idle)
        idle.sendall(post_request("/", b"", {"X-Account": "ann"}))
        assert idle_answers.next().status == 200
        slow.sendall(post_request("/slow", b"", {"X-Account": "ann"}))
        half.sendall(body[:-4])
        wait_until(lambda: app.of("/slow"))
        one.configure(http=POLICY, server=SERVER.replace("reuseport", ""))
        for _ in range(reloads):
            one.reload()
        assert Answers(slow).next().status == 200
        half.sendall(body[-4:])
        assert Answers(half).next().status == 503
        idle.sendall(post_request("/", b"", {"X-Account": "bad"}))
        assert idle_answers.next().status == 503
    one.quit()
    assert [line["action"] for line in server.audit_lines("decision")] == [
        "order.create"]


# Connections that nginx closes from its side


def test_a_shutdown_closes_what_waits_for_a_body(nginx, app):
    server = nginx(main="worker_shutdown_timeout 300ms;",
                   http=POLICY + "integrity_field rating json:/rating;",
                   server=SERVER, APP=app)
    body = post_request("/", b'{"rating":1}', {"X-Account": "ann"})
    # Root cause: a call that nginx closes without an answer has no status,
    # and its outcome said 0.
    app.answer(delay=30, path="/slow")
    with server.connect() as half, server.connect() as slow:
        half.sendall(body[:-4])
        slow.sendall(post_request("/slow", b"", {"X-Account": "eve"}))
        wait_until(lambda: app.of("/slow"))
        server.reload()
        assert half.recv(1) == slow.recv(1) == b""
    ((entry,), (left,)) = ledger(server), aborted(server)
    assert (entry.account, entry["decision"]) == ("eve", "allow")
    assert (entry.outcome["status"], left["status"]) == (444, 444)


def test_no_secret_is_shown(nginx, app):
    server = nginx(http=POLICY, server=SERVER, APP=app)
    assert post(server) == 200
    key = server.secret_path.read_text().partition(":")[2].strip()
    done = subprocess.run([*server._command(), "-T"], capture_output=True,
                          text=True, check=True,
                          env=server._environment())
    assert "integrity_secret" in done.stdout and key not in done.stdout
    assert key not in server.error_log + server.audit_path.read_text()
