"""Redis goes away under load, in every way it can, and comes back.

Three servers with the three policies count in the same Redis under the same
load. Whatever happens to it, every call is answered by the policy, in time.
"""

import contextlib
import os
import re
import time
from types import SimpleNamespace

import pytest

from harness import senders
from harness.crowd import Crowd
from harness.settings import PATIENCE, SANITIZED, wait_until
from redis_place import EVERY_KIND, READ_EVERY_KIND, is_ready, status

SOAK = os.environ.get("IG_SOAK") == "1"

POLICIES = ("local", "allow", "deny")

HTTP = """
    integrity_zone    integrity:4m new_keys=1000000;
    integrity_redis   %%REDIS%% timeout=%%DEADLINE%%ms on_error=%%POLICY%%;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account $http_x_account;
    integrity_field   device  $http_x_device;
    integrity_field   amount  $http_x_amount;
    integrity_counter hits on=review.create key=account window=1h;
    %%COUNTERS%%
    integrity_rule    hot "account == 'hot' && hits > 3" then=throttle;
    %%RULES%%

    server {
        listen 127.0.0.1:%%PORT_APP%%;
        return 201;
    }
"""

# The application is in the same worker: nothing else is between the clients
# and the time we measure.
SERVER = """
        add_header X-Event $integrity_event_id always;
        location / {
            integrity        on;
            integrity_action review.create;
            proxy_pass       http://127.0.0.1:%%PORT_APP%%;
        }
        location = /status { integrity_status; access_log off; }
"""

OUTAGE = 0.4            # seconds


def requests():
    """Ten accounts, and one that is throttled after its third call."""
    accounts = [f"a{number}" for number in range(10)] + ["hot"] * 4
    return [senders.post_request("/", b"{}", {
        "X-Account": account, "X-Device": f"d{number % 7}",
        "X-Amount": str(number)}) for number, account in enumerate(accounts)]


class Scene:
    """Three servers, the load on them, and what became of it."""

    def __init__(self, nginx, redis, deadline, kinds):
        self.deadline = deadline
        self.servers = {policy: nginx(
            http=HTTP, server=SERVER, REDIS=redis, POLICY=policy,
            DEADLINE=deadline, COUNTERS=EVERY_KIND if kinds else "",
            RULES=READ_EVERY_KIND if kinds else "") for policy in POLICIES}
        for server in self.servers.values():
            wait_until(lambda server=server: is_ready(server))
        self.pids = {policy: server.worker_pids()
                     for policy, server in self.servers.items()}
        self.crowds = {policy: Crowd(server, requests(), clients=4, pause=0.01,
                                     watch=self.pids[policy])
                       for policy, server in self.servers.items()}
        self.began = self.struck = self.healed = self.back = None
        self.lines = {}

    def play(self, strike, heal, outage=OUTAGE):
        with contextlib.ExitStack() as stack:
            for crowd in self.crowds.values():
                stack.enter_context(crowd)
            self.began = time.monotonic()
            time.sleep(0.15)
            self.struck = time.monotonic()
            strike()
            time.sleep(outage * PATIENCE)
            self.healed = time.monotonic()
            heal()
            self.wait_back()
            self.back = time.monotonic()
            time.sleep(0.15)
        self.wait_rest()
        self.lines = {
            policy: {line["event"]: line for line
                     in server.audit_lines("decision")}
            for policy, server in self.servers.items()}

    def wait_back(self):
        for server in self.servers.values():
            wait_until(lambda server=server: is_ready(server), timeout=20,
                       what="normal service")

    def wait_rest(self):
        """Until nothing is under way: take-backs come after the answer."""
        def commands():
            return [status(server)["commands"]
                    for server in self.servers.values()]

        before = commands()

        def still():
            nonlocal before
            time.sleep(0.05)
            before, last = commands(), before
            return before == last

        wait_until(still)

    def decisions(self, policy):
        """{event: decision line}."""
        return self.lines[policy]

    # What must hold

    def check(self, degraded=True):
        for policy in POLICIES:
            self.check_answers(policy)
            self.check_time(policy)
            self.check_events(policy, degraded)
            assert self.servers[policy].worker_pids() == self.pids[policy]

    def check_answers(self, policy):
        crowd = self.crowds[policy]
        assert crowd.errors == []
        allowed = {201, 429, 503} if policy == "deny" else {201, 429}
        assert {call.status for call in crowd.calls} <= allowed
        decided = self.decisions(policy)
        assert len(decided) == len(crowd.calls)
        for call in crowd.calls:
            line = decided[call.event]
            degraded = line["evaluation"] == "degraded"
            assert line["evaluation"] in ("complete", "degraded")
            assert (call.status == 503) == (degraded and policy == "deny")
            known = line["counter"].get("hits") is not None
            assert known == (not degraded or policy == "local"), line

    def check_time(self, policy):
        """Each call within deadline + 20 ms of processor time.

        What the scheduler kept the worker and the client waiting for is not
        nginx's: it is measured for each call, and taken off.
        """
        limit = (self.deadline + 20) / 1000 * (PATIENCE if SANITIZED else 1)
        late = [call for call in self.crowds[policy].calls
                if call.seconds - call.held > limit]
        assert not late, (policy, limit, late[:5])

    def check_events(self, policy, degraded):
        """Degraded while it was away; complete before and after."""
        crowd, decided = self.crowds[policy], self.decisions(policy)

        def evaluations(begin, end):
            calls = crowd.between(begin, end)
            assert calls
            return {decided[call.event]["evaluation"] for call in calls}

        assert "complete" in evaluations(self.began, self.struck)
        assert "complete" in evaluations(self.back, self.back + 10)
        if degraded:
            assert evaluations(self.struck + 0.1, self.healed) == {"degraded"}

    def worst(self):
        return {policy: max(call.seconds for call in crowd.calls)
                for policy, crowd in self.crowds.items()}

    def accepted(self, since=0.0):
        """Complete and not throttled, of the calls that began since then."""
        return sum(
            decided[call.event]["evaluation"] == "complete"
            and decided[call.event]["decision"] == "allow"
            for policy in POLICIES for decided in [self.decisions(policy)]
            for call in self.crowds[policy].calls if call.began >= since)


def check_keys(client):
    """A lifetime for each key, nothing below zero; returns the sum of hits."""
    hits = 0
    for key in client.keys("*"):
        assert key.startswith(b"ig:1:{")
        assert client.ttl(key) > 0, key
        kind = client.type(key)
        if kind == b"string":
            assert int(client.get(key)) >= 0, key
            if key.startswith(b"ig:1:{hits:"):
                hits += int(client.get(key))
        elif kind == b"hash":
            assert int(client.hget(key, "n") or 0) >= 0, key
    return hits


@pytest.fixture
def scene(nginx, record_property):
    """A factory; what was measured goes into the report."""
    made = []

    def make(redis, deadline=20, kinds=True):
        made.append(Scene(nginx, redis, deadline, kinds))
        return made[-1]

    yield make
    for one in made:
        if one.back is not None:
            record_property("worst", one.worst())
            print("worst", one.worst())


@pytest.mark.alone
@pytest.mark.parametrize("outage", [OUTAGE, 2.5, 7] if SOAK else [OUTAGE])
def test_frozen(scene, redis, outage):
    """Late calls are taken back: Redis counts what was accepted, exactly.

    After five seconds of silence the connection is given up; what it still
    owed is then told as lost.
    """
    real = redis()
    play = scene(real)
    play.play(real.freeze, real.thaw, outage)
    play.check()
    told = [status(server) for server in play.servers.values()]
    lost = sum(one["lost"] for one in told)
    assert 0 <= check_keys(real.client()) - play.accepted() <= lost
    if outage < 5:
        assert lost == 0
        assert {one["connects"] for one in told} == {1}


@pytest.mark.alone
def test_frozen_again_and_again(scene, redis):
    """Shorter and longer than the deadline, before the breaker opens or not."""
    real = redis()
    play = scene(real)

    def strike():
        for milliseconds in (5, 15, 25, 40, 60, 10, 30, 100):
            real.freeze()
            time.sleep(milliseconds / 1000)
            real.thaw()
            time.sleep(0.03)

    play.play(strike, lambda: None, outage=0)
    play.check(degraded=False)
    assert check_keys(real.client()) == play.accepted()


@pytest.mark.alone
def test_killed(scene, redis):
    real = redis()
    play = scene(real)
    play.play(real.stop, real.start)
    play.check()
    assert check_keys(real.client()) == play.accepted(play.healed)


@pytest.mark.alone
def test_restarted(scene, redis):
    real = redis()
    play = scene(real)
    play.play(real.restart, lambda: None, outage=0)
    play.check(degraded=False)
    check_keys(real.client())


@pytest.mark.alone
def test_flushed(scene, redis):
    """Keys that were known to have a lifetime get it anew."""
    real = redis()
    client = real.client()
    play = scene(real)

    def strike():
        for _ in range(20):
            client.flushall()
            time.sleep(0.01)

    play.play(strike, lambda: None, outage=0)
    play.check(degraded=False)
    assert {line["evaluation"] for policy in POLICIES
            for line in play.decisions(policy).values()} == {"complete"}
    assert check_keys(client) > 0


@pytest.mark.alone
def test_replaced_by_one_with_a_password(scene, redis):
    real = redis()
    play = scene(real)

    def strike():
        real.replace("s3cret")
        for server in play.servers.values():
            server.wait_log("PING was refused: NOAUTH")

    play.play(strike, real.replace)
    play.check(degraded=False)
    check_keys(real.client())


@pytest.mark.alone
def test_out_of_memory(scene, redis):
    """A refused write is no count: the call is degraded, and counts nowhere.

    Redis refuses take-backs too: those of the calls that were under way when
    it began to are lost, and only those.
    """
    real = redis(config=["--maxmemory-policy", "noeviction"])
    client = real.client()
    play = scene(real)
    play.play(lambda: client.config_set("maxmemory", 1),
              lambda: client.config_set("maxmemory", 0))
    play.check()
    for server in play.servers.values():
        assert "a command was refused: OOM" in server.error_log
    clients = sum(crowd.clients for crowd in play.crowds.values())
    assert 0 <= check_keys(client) - play.accepted() <= clients


# What a real one does not do: a liar between it and nginx, who lies while
# `lying` is set. Nginx finds the connection again as it may.

def rude(lying, misbehave):
    """A step: answers as the upstream does, or misbehaves."""
    def step(link):
        while True:
            command = link.read()
            reply = link._forward(command)
            if lying.on:
                misbehave(link, command, reply)
            else:
                link.write(reply)
    return step


def loading(link, command, reply):
    link.write(b"-LOADING Redis is loading the dataset in memory\r\n")


def garbage(link, command, reply):
    link.write(b"HTTP/1.1 400 Bad Request\r\nServer: no redis\r\n\r\n")


def wrong_type(link, command, reply):
    link.write(reply if command[0] == b"PING" else b"*1\r\n$1\r\nx\r\n")


def unsolicited(link, command, reply):
    link.write(reply + b":1\r\n")


def closes(link, command, reply):
    if command[0] == b"INCR":
        raise EOFError
    link.write(reply)


def half(link, command, reply):
    """The rest comes when the lie ends."""
    link.write(reply[:len(reply) // 2])
    while link.lying.on and not link.fake.stopping.wait(0.01):
        pass
    link.write(reply[len(reply) // 2:])


def silent(link, command, reply):
    while link.lying.on and not link.fake.stopping.wait(0.01):
        pass
    link.write(reply)


def dribbled(link, command, reply):
    for index in range(len(reply)):
        link.write(reply[index:index + 1])
        time.sleep(0.003)


@pytest.mark.alone
@pytest.mark.parametrize("misbehave,degraded", [
    (loading, True), (garbage, True), (wrong_type, True), (unsolicited, False),
    (closes, True), (half, True), (silent, True), (dribbled, False)])
def test_nonsense(scene, redis, fake_redis, misbehave, degraded):
    """The connection is lost, or nobody waits for it, and is found again."""
    lying = SimpleNamespace(on=False)

    def step(link):
        link.lying = lying
        rude(lying, misbehave)(link)

    play = scene(fake_redis([step], upstream=redis()), deadline=50,
                 kinds=False)
    play.play(lambda: setattr(lying, "on", True),
              lambda: setattr(lying, "on", False))
    play.check(degraded)
    for policy, server in play.servers.items():
        assert misbehave is dribbled or "degraded" in {
            line["evaluation"] for line in play.decisions(policy).values()}
        # told once a second, not for every call
        lines = re.findall(r"\[error\] .*integrity: redis", server.error_log)
        assert len(lines) <= 3 + (play.back - play.struck)


@pytest.mark.parametrize("loss", ["restart", "flush"])
def test_never_is_not_forgotten(nginx, redis, loss):
    """A counter is unknown from the first answer of a server that lost it.

    Of one that was flushed under the connection, from the first key on that
    is missed.
    """
    real = redis()
    server = nginx(
        http=HTTP, server=SERVER, REDIS=real, POLICY="local", DEADLINE=2000,
        COUNTERS="""integrity_counter seen on=review.create key=account
                    window=1h last warmup=3s;""",
        RULES="integrity_rule fresh '!has(seen)' then=hold;")
    # every second call is a stranger's
    calls = [senders.post_request("/", b"{}", {"X-Account": account})
             for number in range(10000)
             for account in (f"s{number}", "regular")]

    def decisions():
        return [line["decision"] for line in server.audit_lines("decision")
                if line["evaluation"] == "complete"]

    with Crowd(server, calls, clients=2, pause=0.002) as crowd:
        wait_until(lambda: "hold" in decisions())
        if loss == "restart":
            real.restart()
        else:
            real.client().flushall()
        lost = time.monotonic()
        wait_until(lambda: is_ready(server))
        time.sleep(1.5)
    lines = {line["event"]: line for line in server.audit_lines("decision")}
    known = lost + (0.2 if loss == "flush" else 0)
    complete = [line for line in (lines[call.event] for call in crowd.calls
                                  if call.began > known)
                if line["evaluation"] == "complete"]
    assert len(complete) > 100
    assert [line for line in complete if line["decision"] != "allow"] == []
    assert {line["counter"]["seen"] for line in complete} == {None}


def test_a_refusal_for_want_of_redis_is_no_denial(nginx, redis):
    """An outage must not fill the counter that a ban goes by."""
    real = redis()
    server = nginx(
        http=HTTP, server=SERVER, REDIS=real, POLICY="deny", DEADLINE=100,
        COUNTERS="""integrity_counter denials on=decision.deny key=account
                    window=1h;""",
        RULES="integrity_rule bad \"account == 'bad'\" then=deny;")
    wait_until(lambda: is_ready(server))
    ann, bad = (senders.post_request("/", b"{}", {"X-Account": account})
                for account in ("ann", "bad"))
    assert server.raw(bad).status == 403
    real.freeze()
    assert [server.raw(ann).status for _ in range(8)] == [503] * 8
    real.thaw()
    wait_until(lambda: is_ready(server))
    assert server.raw(ann).status == 201
    client = real.client()
    assert [int(client.get(key)) for key
            in client.keys("ig:1:{denials:*")] == [1]


def test_flushed_and_cut_off(nginx, redis):
    """What was to give a key its lifetime is lost with the connection."""
    real = redis()
    server = nginx(
        http=HTTP, server=SERVER, REDIS=real, POLICY="local", DEADLINE=100,
        COUNTERS=EVERY_KIND, RULES=READ_EVERY_KIND)
    wait_until(lambda: is_ready(server))
    client = real.client()
    with Crowd(server, requests(), clients=8) as crowd:
        for _ in range(200 if SOAK else 30):
            client.flushall()
            client.client_kill_filter(_type="normal", skipme=True)
            wait_until(lambda: is_ready(server))
            wait_until(lambda: lives(client), timeout=2,
                       what="a lifetime for each key")
    assert crowd.errors == []
    check_keys(client)


def lives(client):
    """Whether each key has a lifetime (-2: gone meanwhile)."""
    return all(client.ttl(key) != -1 for key in client.keys("*"))
