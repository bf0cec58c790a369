"""What a place says holds in the places inside it, until one says otherwise."""

import json

import pytest

from harness import oracles, senders
from harness.ledger import POLICY, ledger, told

COUNTED = POLICY + """
    integrity_threshold limit 3;
    integrity_rule      over  "calls > limit" then=throttle;
"""


def post(server, path, account="ann", port=None, **arguments):
    return server.request("POST", path, port=port,
                          headers={"X-Account": account, **arguments}
                          ).status_code


def until_refused(server, path, port=None):
    """How many calls of a fresh account pass."""
    account = f"by {path} {port}"
    passed = 0
    while post(server, path, account, port) == 200:
        passed += 1
    return passed


def test_thresholds_innermost_wins(nginx, app):
    server = nginx(http=COUNTED + """
        integrity on; integrity_action order.create;
        server {
            listen 127.0.0.1:%%PORT_2%%;
            location / { proxy_pass http://%%APP%%; }
            location /own { integrity_threshold limit 5;
                            proxy_pass http://%%APP%%; }
        }
    """, server="""
        integrity_threshold limit 2;
        location / { proxy_pass http://%%APP%%; }
        location /own {
            integrity_threshold limit 1;
            proxy_pass http://%%APP%%;
            location /own/same { proxy_pass http://%%APP%%; }
            location /own/more { integrity_threshold limit 6;
                                 proxy_pass http://%%APP%%; }
            location /own/time { integrity_threshold limit 4s;
                                 proxy_pass http://%%APP%%; }
        }
    """, APP=app)
    other = server.ports["PORT_2"]
    assert [until_refused(server, path) for path in (
        "/", "/own", "/own/same", "/own/more", "/own/time")] == [2, 1, 1, 6, 4]
    assert [until_refused(server, path, other) for path in ("/", "/own")
            ] == [3, 5]
    seen = {entry["path"]: entry["rule"][0]["threshold"]["limit"]
            for entry in ledger(server) if entry["rule"]}
    assert seen == {"/": 3, "/own": 5, "/own/same": 1, "/own/more": 6,
                    "/own/time": 4}


def test_a_default_yields(nginx, app):
    server = nginx(http=POLICY + """
        integrity_threshold limit 1 default;
        integrity_threshold limit 3;
        integrity_threshold other 2 default;
        integrity_rule over "calls > limit" then=throttle on=a.*;
        integrity_rule last "calls > other" then=throttle on=b.*;
    """, server="""
        integrity on;
        location /a { integrity_action a.x; proxy_pass http://%%APP%%; }
        location /b { integrity_action b.x; proxy_pass http://%%APP%%; }
    """, APP=app)
    assert [until_refused(server, path) for path in ("/a", "/b")] == [3, 2]


def test_a_key_over_the_limit_of_one_place_is_not_over_another(nginx, app):
    server = nginx(http="""
        integrity_zone   integrity:4m;
        integrity_secret %%SECRET%%;
        integrity_audit  %%AUDIT%%;
        integrity_field     account $http_x_account;
        integrity_counter   hits    key=account window=1h;
        integrity_threshold limit   2;
        integrity_rule      over    "hits > limit" then=throttle;
    """, server="""
        integrity on; integrity_action order.create;
        location /small  { proxy_pass http://%%APP%%; }
        location /large  { integrity_threshold limit 4;
                           proxy_pass http://%%APP%%; }
        location /except { integrity on except=over;
                           proxy_pass http://%%APP%%; }
        location /dry    { integrity dry_run; proxy_pass http://%%APP%%; }
        location /other  { integrity_action other.action;
                           proxy_pass http://%%APP%%; }
    """, APP=app)
    calls = [("/small", 200), ("/small", 200), ("/small", 429),
             ("/small", 429), ("/dry", 200), ("/large", 200), ("/except", 200),
             ("/large", 429), ("/large", 429), ("/except", 200), ("/dry", 200),
             ("/other", 429), ("/small", 429)]
    assert [post(server, path) for path, _ in calls] == [
        status for _, status in calls]
    server.quit()
    lines = [(line["path"], line["evaluation"], line["decision"],
              line.get("would")) for line in server.audit_lines("decision")]
    assert ("/small", "cached", "throttle", None) in lines
    assert [line for line in lines if line[0] in ("/dry", "/except")] == [
        ("/dry", "complete", "allow", "throttle"),
        ("/except", "complete", "allow", None),
        ("/except", "complete", "allow", None),
        ("/dry", "complete", "allow", "throttle")]


def test_modes(nginx, app):
    server = nginx(http=POLICY + """
        map $http_x_mode $mode { default $http_x_mode; }
        geo $near { default off; 127.0.0.0/8 on; }
        split_clients $http_x_account $some { 100% dry_run; }
        integrity on; integrity_action order.create;
    """, server="""
        location /http  { proxy_pass http://%%APP%%; }
        location /dry   { integrity dry_run; proxy_pass http://%%APP%%;
            location /dry/same { proxy_pass http://%%APP%%; }
            location /dry/off  { integrity off; proxy_pass http://%%APP%%;
                location /dry/off/same { proxy_pass http://%%APP%%; }
                location /dry/off/on { integrity on;
                                       proxy_pass http://%%APP%%; } } }
        location /geo   { integrity $near; proxy_pass http://%%APP%%; }
        location /split { integrity $some; proxy_pass http://%%APP%%; }
        location /map   { integrity $mode; proxy_pass http://%%APP%%; }
        location /mixed { integrity dry_$near; proxy_pass http://%%APP%%; }
    """, APP=app)
    places = {"/http": "enforce", "/dry": "dry_run", "/dry/same": "dry_run",
              "/dry/off": None, "/dry/off/same": None,
              "/dry/off/on": "enforce", "/geo": "enforce",
              "/split": "dry_run"}
    for path, mode in places.items():
        assert post(server, path, "bad") == (403 if mode == "enforce"
                                             else 200), path
    modes = {"on": "enforce", "dry_run": "dry_run", "off": None,
             "": "enforce", "On": "enforce", "dry-run": "enforce",
             "0": "enforce", "no": "enforce"}
    for value, mode in modes.items():
        assert post(server, "/map", "bad", **{"X-Mode": value}) == (
            403 if mode == "enforce" else 200), value
    assert post(server, "/mixed", "bad") == 403
    wanted = [(path, mode) for path, mode in places.items() if mode]
    wanted += [("/map", mode) for mode in modes.values() if mode]
    wanted += [("/mixed", "enforce")]
    assert [(entry["path"], entry["mode"]) for entry in ledger(server)
            ] == wanted
    assert 1 <= server.error_log.count("is none of on, dry_run, off") <= 3


def test_except(nginx, app):
    server = nginx(http=POLICY + """
        integrity_rule both "account == 'bad'" then=throttle;
        integrity on except=banned; integrity_action order.create;
    """, server="""
        location /inherits { proxy_pass http://%%APP%%; }
        location /own      { integrity on; proxy_pass http://%%APP%%; }
        location /two      { integrity on except=both,banned;
                             proxy_pass http://%%APP%%; }
        location /variable { integrity $arg_mode except=banned,both;
                             proxy_pass http://%%APP%%; }
    """, APP=app)
    assert [post(server, path, "bad") for path in (
        "/inherits", "/own", "/two", "/variable?mode=on")] == [429, 403, 200,
                                                               200]
    assert [[rule["name"] for rule in entry["rule"]]
            for entry in ledger(server)] == [["both"], ["banned", "both"], [],
                                             []]


def test_answers_and_bodies(nginx, app):
    server = nginx(http=POLICY + """
        integrity_field rating json:/rating;
        integrity on; integrity_action order.create;
        integrity_status_deny 451; integrity_body max=10 type=pass;
    """, server="""
        integrity_status_throttle 503;
        location /http { proxy_pass http://%%APP%%; }
        location /own  { integrity_status_deny 404;
                         integrity_status_throttle 420;
                         integrity_body max=100;
                         proxy_pass http://%%APP%%;
                         location /own/same { proxy_pass http://%%APP%%; } }
    """, APP=app)

    def send(path, kind, size):
        return server.raw(senders.post_request(
            path, b" " * size, {"Content-Type": kind})).status

    places = ("/http", "/own", "/own/same")
    assert [post(server, path, "bad") for path in places] == [451, 404, 404]
    assert [post(server, path, "hasty") for path in places] == [503, 420, 420]
    assert [send(path, "application/json", 50) for path in places] == [
        413, 200, 200]
    assert [send(path, "text/plain", 5) for path in places] == [200, 415, 415]
    decisions = [entry["decision"] for entry in ledger(server)]
    assert decisions[:6] == ["deny"] * 3 + ["throttle"] * 3


def test_audit(nginx, app):
    server = nginx(http=POLICY + "integrity on; integrity_action order.create;"
                   "integrity_field q $arg_q;", server="""
        location /http { proxy_pass http://%%APP%%; }
        location /own  { integrity_audit %%DIR%%/own.log path=uri;
                         proxy_pass http://%%APP%%;
                         location /own/same { proxy_pass http://%%APP%%; } }
        location /off  { integrity_audit off; proxy_pass http://%%APP%%; }
        location /more { integrity_audit %%AUDIT%% path=uri;
                         proxy_pass http://%%APP%%; }
        location /rare { integrity_audit_sample 1000000000;
                         proxy_pass http://%%APP%%; }
    """, APP=app)
    for path in ("/http/a?q=1", "/own/b?q=2", "/own/same/c", "/off/d",
                 "/more/e?q=3", "/rare/f"):
        assert post(server, path) == 200
        assert post(server, path, "bad") == 403
        assert post(server, path, "odd") == 200
    assert [entry[1:2] + entry[3:4] for entry in told(server)] == [
        (account, decision) for path in range(3)
        for account, decision in (("ann", "allow"), ("bad", "deny"),
                                  ("odd", "hold"))][:6] + [
        ("bad", "deny"), ("odd", "hold")]
    assert [line["path"] for line in server.audit_lines("decision")] == [
        "/http"] * 3 + ["/more/e"] * 3 + ["/rare"] * 2
    own = server.dir / "own.log"
    lines = [json.loads(line) for line in own.read_text().splitlines()]
    assert [line["path"] for line in lines if line["kind"] == "decision"] == [
        "/own/b"] * 3 + ["/own/same/c"] * 3
    assert oracles.verify_problems([own]) == []
    assert oracles.schema_problems(own.read_bytes()) == []
    assert oracles.verify_problems([own, server.audit_path]) == []


@pytest.mark.parametrize("sample", [1, 3])
def test_one_in_so_many_allowed_calls(nginx, app, sample):
    server = nginx(http=POLICY + "integrity on; integrity_action order.create;",
                   server=f"""
        integrity_audit_sample {sample};
        location / {{ proxy_pass http://%%APP%%; }}
        location /status {{ integrity_status; }}
    """, APP=app)
    request = senders.post_request("/", b"", {"X-Account": "ann"})
    with server.connect() as sock:
        sock.sendall(request * 120)
        received = b""
        while received.count(b"HTTP/1.1 200") < 120:
            received += sock.recv(65536)
    assert server.get("/status").json()["calls"]["calls"] == 120
    entries = ledger(server)
    assert len(entries) == 120 if sample == 1 else 15 < len(entries) < 70


def test_a_location_without_an_action_decides_nothing(nginx, app):
    server = nginx(http=POLICY + "integrity on;", server="""
        location /none { proxy_pass http://%%APP%%; }
        location /some { integrity_action order.create;
                         proxy_pass http://%%APP%%; }
    """, APP=app)
    assert [post(server, path, "bad") for path in ("/none", "/some")] == [
        200, 403]
