"""The status page: what it counts, in JSON and for Prometheus."""

import json
import re

import pytest

from harness import senders
from harness.h2client import H2Connection
from harness.ledger import POLICY

RULES = POLICY + """
    integrity_field rating json:/rating on=review.create;
    integrity_field shop   $http_x_shop private;
    integrity_rule  low    "rating < 2" on=review.create score=5 dry_run;
"""

SERVER = """
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_2%% http2;
    integrity on;
    location /reviews { integrity_action review.create;
                        proxy_pass http://%%APP%%; }
    location /orders  { integrity_action order.create;
                        proxy_pass http://%%APP%%; }
    location /dry     { integrity dry_run; integrity_action order.create;
                        proxy_pass http://%%APP%%; }
    location /any     { integrity_action $arg_action;
                        proxy_pass http://%%APP%%; }
    location = /status { integrity_status; allow 127.0.0.1; deny all; }
    location = /closed { integrity_status; deny all; }
"""


# A strict reader of the Prometheus text format 0.0.4

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? "
                    r"([0-9]+(?:\.[0-9]+)?)")


def labels_of(text):
    return dict(re.findall(r'([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"', text or ""))


def prometheus(text):
    """{(name, labels): value}; fails on anything the format does not allow."""
    assert text.endswith("\n") and "\n\n" not in text
    samples, types, family = {}, {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in types, f"{family} is told twice"
            assert len(line.split(" ", 3)[3]) > 5
            types[family] = None
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family and types[family] is None
            assert kind in ("counter", "gauge", "histogram")
            assert (kind == "counter") == name.endswith("_total")
            types[family] = kind
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        base = re.sub(r"_(bucket|sum|count)$", "", name) \
            if types[family] == "histogram" else name
        assert base == family, f"{name} stands under {family}"
        key = (name, tuple(sorted(labels_of(labels).items())))
        assert key not in samples, f"{line} is there twice"
        samples[key] = float(value)
    assert all(types.values())
    assert all(name.startswith("nginx_integrity_") for name in types)
    check_histograms(samples, types)
    return samples


def check_histograms(samples, types):
    for family in (name for name, kind in types.items()
                   if kind == "histogram"):
        buckets = [(float(dict(labels)["le"]), value)
                   for (name, labels), value in samples.items()
                   if name == family + "_bucket"]
        assert buckets == sorted(buckets)
        assert [value for _, value in buckets] == sorted(
            value for _, value in buckets)
        assert buckets[-1] == (float("inf"), samples[family + "_count", ()])
        assert (family + "_sum", ()) in samples


def page(server, path="/status"):
    return server.get(path).json()


def scrape(server):
    answer = server.get("/status?format=prometheus")
    assert answer.headers["content-type"] == \
        "text/plain; version=0.0.4; charset=utf-8"
    return prometheus(answer.text)


def post(server, path, account="ann", body=None, **headers):
    data = senders.post_request(path, body or b"", {
        "X-Account": account, **headers})
    return server.raw(data).status


@pytest.fixture
def server(nginx, app):
    return nginx(http=RULES, server=SERVER, APP=app)


def some_calls(server):
    assert [post(server, "/reviews", account, b'{"rating":1}')
            for account in ("ann", "bad", "hasty", "odd", "ann")] == [
        200, 403, 429, 200, 200]
    assert post(server, "/reviews", "ann", b"{") == 400
    assert post(server, "/orders", "bad", **{"X-Shop": "shop-77"}) == 403
    assert post(server, "/dry", "bad") == 200
    assert post(server, "/any?action=other.action") == 200
    assert post(server, "/any?action=Nothing") == 200
    with server.connect() as sock:
        sock.sendall(senders.head("POST", "/reviews", {
            "Content-Type": "application/json", "Content-Length": 50}))
        senders.reset(sock)
    server.wait_audit(9)


def test_numbers(server):
    some_calls(server)
    seen = page(server)
    assert {name: seen["calls"][name] for name in (
        "calls", "unclassified", "body_refused", "aborted")} == {
            "calls": 9, "unclassified": 1, "body_refused": 1, "aborted": 1}
    assert seen["evaluation"] == {"complete": 8, "cached": 0, "degraded": 0,
                                  "skipped": 1}
    assert seen["action"] == {
        "review.create": {"allow": 2, "hold": 1, "throttle": 1, "deny": 2},
        "order.create": {"allow": 1, "hold": 0, "throttle": 0, "deny": 1}}
    assert seen["rule"]["banned"] == {"fired": 2, "would": 1, "unknown": 0}
    assert seen["rule"]["hasty"] == {"fired": 1, "would": 0, "unknown": 0}
    assert seen["rule"]["low"] == {"fired": 0, "would": 5, "unknown": 0}
    assert seen["audit"]["dropped"] == 0
    assert seen["audit"]["lines"] >= 9
    assert set(seen["redis"]) >= {"up", "latency", "commands"}
    assert re.fullmatch(r"[0-9a-f]{64}", seen["policy"])


def test_both_formats_say_the_same(server):
    some_calls(server)
    samples = scrape(server)
    seen = page(server)

    def total(name, **labels):
        return samples["nginx_integrity_" + name,
                       tuple(sorted(labels.items()))]

    for name in ("calls", "unclassified", "body_refused", "aborted"):
        assert total(name + "_total") == seen["calls"][name]
    for name, value in seen["evaluation"].items():
        assert total(f"evaluation_{name}_total") == value
    for action, decisions in seen["action"].items():
        for decision, value in decisions.items():
            assert total("decisions_total", action=action,
                         decision=decision) == value
    for rule, results in seen["rule"].items():
        for result, value in results.items():
            assert total("rule_total", rule=rule, result=result) == value
    assert total("info", version=seen["version"], node=seen["node"],
                 policy=seen["policy"]) == 1


def test_nobody_is_named(server):
    some_calls(server)
    for path in ("/status", "/status?format=prometheus"):
        text = server.get(path).text
        for word in ("ann", "shop-77", "127.0.0.1", "p:k1:", "other.action",
                     "Nothing"):
            assert not re.search(rf"\b{re.escape(word)}\b", text), word


def test_the_page_itself_is_no_call(server):
    for path in ("/status", "/status?format=prometheus", "/status?format=x",
                 "/status?format="):
        for method in ("GET", "HEAD"):
            answer = server.request(method, path)
            assert answer.status_code == 200
            assert bool(answer.content) == (method == "GET")
        assert int(server.request("HEAD", path).headers["content-length"]) > 99
    assert server.post("/status", json={}).status_code == 405
    assert server.get("/closed").status_code == 403
    assert server.get("/status?format=x").headers["content-type"] == \
        "application/json"
    with H2Connection(server, server.ports["PORT_2"]) as h2:
        answer = h2.request("GET", "/status")
        assert json.loads(answer.body)["calls"]["calls"] >= 0
    assert post(server, "/orders") == 200
    assert page(server)["action"]["order.create"]["allow"] >= 1


def test_a_reload_keeps_the_numbers(server):
    some_calls(server)
    before = page(server)
    server.configure(http=RULES + """
        integrity_rule more "calls > 5000" then=deny;
    """)
    server.reload()
    after = page(server)
    assert after["policy"] != before["policy"]
    assert after["rule"].pop("more") == {"fired": 0, "would": 0, "unknown": 0}
    for group in ("calls", "evaluation", "action", "rule"):
        assert after[group] == before[group]
    assert post(server, "/reviews", "bad") == 403
    assert page(server)["action"]["review.create"]["deny"] == 3


def test_redis_in_the_page(nginx, app, redis):
    store = redis()
    server = nginx(http=RULES + "integrity_redis %%REDIS%% timeout=200ms;",
                   server=SERVER, APP=app, REDIS=store)
    for _ in range(5):
        assert post(server, "/orders") == 200
    seen = page(server)["redis"]
    assert (seen["up"], seen["breaker"], seen["timeouts"]) == (1, 0, 0)
    assert sum(bucket["batches"] for bucket in seen["latency"]["bucket"]) >= 5
    assert seen["commands"] >= 5
    samples = scrape(server)
    assert samples["nginx_integrity_redis_latency_seconds_count", ()] >= 5
    store.stop()
    assert post(server, "/orders") == 200
    seen = page(server)
    assert seen["redis"]["up"] == 0
    assert seen["evaluation"]["degraded"] >= 1


def test_many_names(nginx, app):
    rules = "".join(f'integrity_rule rule_{n} "calls > {n + 5}" then=deny'
                    f" on=action.{n};" for n in range(250))
    server = nginx(http=POLICY + rules, server=SERVER, APP=app)
    assert post(server, "/any?action=action.7") == 200
    seen = page(server)
    assert seen["action"]["action.7"]["allow"] == 1
    assert len(seen["rule"]) == 254
    samples = scrape(server)
    assert samples["nginx_integrity_series_refused_total", ()] == 0
