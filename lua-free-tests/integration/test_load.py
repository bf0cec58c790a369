"""integrityctl load: after it, live calls are decided as if nginx had lived
through the history; over both stores."""

import gzip
import json
import random
import re
import subprocess
import time

import pytest

from harness.settings import CTL, wait_until

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
    def make(store, policy=POLICY, **parts):
        (folder / "policy.conf").write_text(policy)
        return nginx(http=HTTP + store, server=SERVER, APP=app,
                     POLICY=folder / "policy.conf", **parts)
    return make


def history(number=400, days=40, seed=5, until=None):
    """Reviews and orders of a few people, up to a minute ago."""
    chance = random.Random(seed)
    until = until or time.time() - 60
    times = sorted(until - chance.random() * days * DAY
                   for _ in range(number - 1))
    for at in [until - days * DAY, *times]:
        event = {"time": round(at, 3), "account": f"a{chance.randrange(12)}",
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


def whole_history():
    until = time.time() - 60
    events = [*history(until=until), *denied_history(until)]
    return sorted(events, key=lambda event: event["time"])


def write(path, events):
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def load(server, *arguments, code=0, why=WHY, conf=None, stdin=None):
    """The parsed report, or what was said where code is another one."""
    done = subprocess.run(
        [str(CTL), "load", "-c", str(conf or server.conf_path), "--socket",
         f"unix:{server.dir}/control.sock", *why, "--json",
         *map(str, arguments)],
        input=stdin, capture_output=True, text=True, timeout=120, check=False)
    assert "Sanitizer" not in done.stderr, done.stderr
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def call(server, event, **headers):
    """A live call; its audit line."""
    before = len(server.audit_lines("decision"))
    body = {name: value for name, value in event.items()
            if name in ("account", "product", "rating", "content")}
    server.post("/", json=body, headers={
        "X-Action": event["action"], "X-Device": event["device"], **headers})
    return server.wait_audit(before + 1)[-1]


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


def expected(folder, events, number):
    """Counters of event `number`, from 1, as backtest explains it."""
    path = write(folder / "lived.jsonl", events)
    done = subprocess.run(
        [str(CTL), "backtest", "-c", str(folder / "policy.conf"), "--explain",
         str(number), str(path)], capture_output=True, text=True, timeout=60,
        check=True)
    counters = {}
    for name, value in re.findall(r"^  (\w+) is (-?[\d.]+) \(", done.stdout,
                                  re.M):
        counters[name] = float(value)
    decision = re.search(r"policy.conf: (\w+)", done.stdout).group(1)
    return decision, counters


def at(line):
    """The line's time in seconds, to the millisecond."""
    whole, part = line["time"][:-1].split(".")
    stamp = time.strptime(whole + " UTC", "%Y-%m-%dT%H:%M:%S %Z")
    return (__import__("calendar").timegm(stamp) * 1000 + int(part)) / 1000


def compare(folder, events, live):
    """Every line's counters and decision are those of a life with events."""
    lived = list(events)
    for event, line in live:
        lived.append({**event, "time": at(line)})
        decision, counters = expected(folder, lived, len(lived))
        found = {name: value for name, value in line["counter"].items()
                 if value is not None}
        assert line["decision"] == decision, (line, counters)
        if decision != "deny" or "banned" not in line.get("list", []):
            assert set(counters) == set(found), line
        for name, value in counters.items():
            assert found[name] == pytest.approx(value, abs=.002), (name, line)


def test_as_if_it_had_lived_through_it(place, store, folder):
    server = place(store)
    events = whole_history()
    path = write(folder / "events.jsonl", events)

    # until then nothing is known of the past
    other = {**LIVE[0], "account": "zed", "device": "d77", "product": "p77",
             "content": "wholly other words that nobody else has ever used yet"}
    before = call(server, other)
    assert before["counter"]["first"] is None
    assert before["counter"]["plain"] == 1

    said = load(server, path)
    assert said["events"] == len(events)
    assert said["writes"] > 100
    counters = {entry["name"]: entry for entry in said["counters"]}
    assert not [entry for entry in said["counters"]
                if "warm_up_until" in entry and entry["name"] != "year"]
    assert counters["banned"]["keys"] == 1
    assert counters["bought"]["since"] == said["from"]

    wait_until(lambda: call(server, other)["counter"]["first"] is not None,
               what="the end of the warm-up", timeout=10)
    live = [(event, call(server, event)) for event in LIVE * 2]
    seen = [(other, before)] + [
        (other, line) for line in server.audit_lines("decision")[1:-10]]
    compare(folder, events, seen[:1] and [])
    lived = events + [{**other, "time": at(line)} for _, line in seen]
    compare(folder, lived, live)

    # who was banned in the past still is
    assert live[3][1]["decision"] == "deny"
    assert live[3][1]["list"] == ["banned"]

    begin, end = server.audit_lines("load")
    assert (begin["op"], end["op"]) == ("begin", "end")
    assert begin["load"] == end["load"]
    assert begin["events"] == len(events)
    assert (begin["by"], begin["reason"]) == ("ada", "before the season")
    text = server.audit_path.read_text() + server.error_log
    assert '"a1"' not in text


def test_twice_is_once(place, store, folder):
    server = place(store)
    events = whole_history()
    path = write(folder / "events.jsonl", events)
    load(server, path)
    again = load(server, path)
    assert again["writes"] == 0
    assert {entry["left"] for entry in again["counters"]} == {"known"}
    assert len(server.audit_lines("load")) == 2
    wait_until(lambda: call(server, {**LIVE[2], "account": "other"})
               ["evaluation"] == "complete", what="an answer")
    line = call(server, LIVE[0])
    lived = events + [{**LIVE[2], "account": "other", "time": at(entry)}
                      for entry in server.audit_lines("decision")[:-1]]
    wait_until(lambda: call(server, {**LIVE[4], "account": "o2"})
               ["counter"]["first"] is not None, what="the warm-up's end",
               timeout=10)
    decision, counters = expected(folder, lived + [
        {**LIVE[0], "time": at(line)}], len(lived) + 1)
    for name in ("plain", "year", "exactly", "total", "mean", "devices"):
        assert line["counter"][name] == pytest.approx(counters[name],
                                                      abs=.002), name
