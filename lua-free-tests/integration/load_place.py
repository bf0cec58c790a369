"""What the tests of integrityctl load share: a policy with a counter of every
kind, a history, and a proxy that cuts a load short."""

import calendar
import json
import random
import re
import socket
import subprocess
import threading
import time

import pytest

from harness.settings import CTL

FIELDS = """
    integrity_field  account  json:/account  private;
    integrity_field  product  json:/product;
    integrity_field  device   $http_x_device private;
    integrity_field  rating   json:/rating;
    integrity_field  content  json:/content  text;
"""

# one counter of every kind, each asked for by some rule
POLICY = FIELDS + """
    integrity_counter  plain   on=review  key=account  window=1h;
    integrity_counter  year    on=review  key=account  window=365d;
    integrity_counter  exactly on=review  key=product  window=20d exact max=50;
    integrity_counter  devices on=review  key=device   window=30d distinct=account;
    integrity_counter  total   on=review  key=product  window=7d  sum=rating;
    integrity_counter  mean    on=review  key=product  window=30d mean=rating;
    integrity_counter  first   on=review  key=account  window=30d first;
    integrity_counter  bought  on=order   key=account,product window=30d last
                               count=completed;
    integrity_counter  copies  on=review               window=30d
                               similar=content distinct=account;
    integrity_counter  refused on=decision.deny key=account window=30d;
    integrity_counter  strange on=review  key=product  window=30d
                               "if=first < 1d";
    integrity_list     banned  key=account;
    integrity_rule  all   "plain + year + exactly + devices + total + mean +
                           first + copies + refused + strange > 100000" score=1;
    integrity_rule  unbought  "!has(bought)"  on=review score=20;
    integrity_rule  worst     "rating == 1 && plain > 2"  then=deny add=banned:20d;
    integrity_rule  banned    "banned"        then=deny;
    integrity_scores  hold=20;
"""

HTTP = """
    integrity_zone    integrity:16m;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    include %%POLICY%%;
"""

SERVER = """
    listen 127.0.0.1:%%PORT%%;
    listen unix:%%DIR%%/control.sock;
    location / {
        integrity on; integrity_action $http_x_action;
        integrity_tenant $http_x_tenant;
        proxy_pass http://%%APP%%;
    }
    location = /integrity/control { integrity_control; allow unix:; deny all; }
"""

WHY = ("--reason", "before the season", "--by", "ada")
DAY = 86400
TEXTS = ["a long and honest text about the thing that was bought in a shop",
         "five stars fast delivery will buy again from this lovely seller yes",
         "nothing works the box was empty and nobody answers any of my calls"]


@pytest.fixture(params=["embedded", "redis"])
def store(request, redis):
    if request.param == "embedded":
        return ""
    return f"integrity_redis {redis()} timeout=5s;"


@pytest.fixture
def place(nginx, app, folder):
    """place(store): an nginx with the policy."""
    def make(store, policy=POLICY, **parts):  # pylint: disable=redefined-outer-name
        (folder / "policy.conf").write_text(policy)
        return nginx(http=HTTP + store, server=SERVER, APP=app,
                     POLICY=folder / "policy.conf", **parts)
    return make


def history(number=400, days=40, seed=5, until=None, accounts=12):
    """Reviews and orders of a few people, up to a minute ago."""
    chance = random.Random(seed)
    until = until or time.time() - 60
    times = sorted(until - chance.random() * days * DAY
                   for _ in range(number - 1))
    for moment in [until - days * DAY, *times]:
        event = {"time": round(moment, 3),
                 "account": f"a{chance.randrange(accounts)}",
                 "product": f"p{chance.randrange(4)}",
                 "device": f"d{chance.randrange(5)}"}
        if chance.random() < .4:
            yield {"action": "order", **event}
        else:
            yield {"action": "review", **event,
                   "rating": chance.choice([1, 4, 5]),
                   "content": chance.choice(TEXTS)}


def denied_history(until):
    """Three bad reviews within the same minute: the third is denied."""
    for number in range(3):
        yield {"action": "review", "time": until - 20 * 60 + number,
               "account": "bad", "product": "p1", "device": "d9", "rating": 1,
               "content": TEXTS[2]}


def whole_history(number=400, **parts):
    until = time.time() - 60
    events = [*history(number, until=until, **parts), *denied_history(until)]
    return sorted(events, key=lambda event: event["time"])


def write(path, events):
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def run(server, *arguments, why=WHY, conf=None, stdin=None, sock=None):
    """`integrityctl load --json`: (exit code, stdout, stderr)."""
    done = subprocess.run(
        [str(CTL), "load", "-c", str(conf or server.conf_path), "--socket",
         f"unix:{sock or server.dir / 'control.sock'}", *why, "--json",
         *map(str, arguments)],
        input=stdin, capture_output=True, text=True, timeout=120, check=False)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def load(server, *arguments, **parts):
    """What it said, parsed."""
    code, out, err = run(server, *arguments, **parts)
    assert code == 0, err
    return json.loads(out)


def refused(server, *arguments, code=1, **parts):
    """Why it was not loaded."""
    found, out, err = run(server, *arguments, **parts)
    assert (found, out) == (code, ""), err
    return err


def by_name(said):
    return {counter["name"]: counter for counter in said["counters"]}


def call(server, event, **headers):
    """A live call; its audit line."""
    before = len(server.audit_lines("decision"))
    body = {name: value for name, value in event.items()
            if name in ("account", "product", "rating", "content")}
    server.post("/", json=body, headers={
        "X-Action": event["action"], "X-Device": event["device"], **headers})
    return server.wait_audit(before + 1)[-1]


def warm(server, event):
    """Calls until the counter `first` is known; the calls' lines."""
    lines = []
    deadline = time.monotonic() + 15
    while not lines or lines[-1]["counter"]["first"] is None:
        assert time.monotonic() < deadline
        lines.append(call(server, event))
    return lines


LIVE = [
    {"action": "review", "account": "a1", "product": "p1", "device": "d1",
     "rating": 5, "content": TEXTS[0]},
    {"action": "review", "account": "a2", "product": "p2", "device": "d9",
     "rating": 4, "content": TEXTS[1]},
    {"action": "order", "account": "a3", "product": "p3", "device": "d3"},
    {"action": "review", "account": "bad", "product": "p0", "device": "d9",
     "rating": 5, "content": TEXTS[2]},
    {"action": "review", "account": "new", "product": "p3", "device": "d4",
     "rating": 4, "content": TEXTS[0]},
]

# Nothing of it is in the history, nor in LIVE.
OTHER = {"action": "review", "account": "zed", "device": "d77",
         "product": "p77", "rating": 5,
         "content": "wholly other words that nobody else has ever used yet"}


def at(line):
    """The line's time in seconds, to the millisecond."""
    whole, part = line["time"][:-1].split(".")
    moment = time.strptime(whole, "%Y-%m-%dT%H:%M:%S")
    return (calendar.timegm(moment) * 1000 + int(part)) / 1000


def expected(folder, events):
    """Decision and counters of the last event, as backtest explains it."""
    path = write(folder / "lived.jsonl", events)
    done = subprocess.run(
        [str(CTL), "backtest", "-c", str(folder / "policy.conf"), "--explain",
         str(len(events)), str(path)], capture_output=True, text=True,
        timeout=60, check=True)
    counters = {name: float(value) for name, value in re.findall(
        r"^  (\w+) is (-?[\d.]+) \(", done.stdout, re.M)}
    return re.search(r"policy.conf: (\w+)", done.stdout).group(1), counters


def same_as_lived(folder, events, live):
    """Every line is as if nginx had lived through events and lines before it.

    live: (event, its line) in order of time.
    """
    lived = list(events)
    for event, line in live:
        lived.append({**event, "time": at(line)})
        decision, counters = expected(folder, lived)
        found = {name: value for name, value in line["counter"].items()
                 if value is not None}
        assert line["decision"] == decision, (line, counters)
        assert set(counters) == set(found), line
        for name, value in counters.items():
            assert found[name] == pytest.approx(value, abs=.002), (name, line)


class Cutter:
    """Stands between integrityctl and nginx; cuts at a request of one kind.

    when "before": nginx never hears of the n-th; "after": its answer is lost.
    again: whether new connections are taken after that.
    """

    def __init__(self, path, server, op, number, when, again=False):
        self.path = path
        self.server = server
        self.mark = f'"op":"{op}"'.encode()
        self.left = number
        self.when = when
        self.again = again
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(8)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, socket.socket(socket.AF_UNIX) as upstream:
                upstream.connect(f"{self.server.dir}/control.sock")
                self._serve(client, upstream)
            if self.left <= 0 and not self.again:
                self.listener.close()
                return

    def _serve(self, client, upstream):
        while True:
            question = self._message(client)
            if question is None:
                return
            if self.mark in question:
                self.left -= 1
                if self.left == 0 and self.when == "before":
                    return
            upstream.sendall(question)
            answer = self._message(upstream)
            if answer is None or (self.mark in question and self.left == 0):
                self.left = min(self.left, 0) if self.left else -1
                return
            client.sendall(answer)

    @staticmethod
    def _message(sock):
        data = b""
        while b"\r\n\r\n" not in data:
            part = sock.recv(65536)
            if not part:
                return None
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        size = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        while len(body) < size:
            body += sock.recv(65536)
        return head + b"\r\n\r\n" + body
