"""Dry run, of a place and of a rule: all that would have been, no effect."""

from harness.ledger import POLICY, ledger

COUNTERS = """
    integrity_zone   integrity:4m;
    integrity_secret %%SECRET%%;
    integrity_audit  %%AUDIT%%;

    integrity_field   account  $http_x_account;
    integrity_counter tried    key=account window=1h exact count=attempts;
    integrity_counter taken    key=account window=1h exact;
    integrity_counter done     key=account window=1h exact count=completed;
    integrity_counter denials  key=account window=1h exact on=decision.deny;
    integrity_counter seen     key=account window=1h first warmup=0;
    integrity_rule    over     "tried > 2" then=deny;
    integrity_rule    reads    "done < 0 || denials < 0 || seen < 0 || taken < 0"
                               then=hold;
"""


def post(server, path, account="ann"):
    return server.post(path, headers={"X-Account": account}).status_code


def numbers(entry):
    """The counters by name; whether it was seen, not since when."""
    found = dict(entry["counter"])
    found["seen"] = "seen" in found
    return found


def test_a_place_in_dry_run_counts_as_if_it_enforced(nginx, app):
    server = nginx(http=COUNTERS, server="""
        integrity_action order.create;
        location /dry { integrity dry_run; proxy_pass http://%%APP%%; }
        location /on  { integrity on; proxy_pass http://%%APP%%; }
    """, APP=app)
    assert [post(server, "/dry", "dry") for _ in range(5)] == [200] * 5
    assert [post(server, "/on", "on") for _ in range(5)] == [200, 200, 403,
                                                             403, 403]
    entries = ledger(server)
    dry, enforced = entries[:5], entries[5:]
    assert [numbers(entry) for entry in dry] == [
        numbers(entry) for entry in enforced]
    assert [(entry["counter"]["tried"], entry["counter"]["taken"],
             entry["counter"]["denials"]) for entry in dry] == [
        (1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 3, 1), (5, 3, 2)]
    assert [(entry["mode"], entry["decision"], entry.decision.get("would"))
            for entry in dry] == [("dry_run", "allow", None)] * 2 + [
                ("dry_run", "allow", "deny")] * 3
    assert [(entry["mode"], entry["decision"], entry.decision.get("would"))
            for entry in enforced] == [("enforce", "allow", None)] * 2 + [
                ("enforce", "deny", None)] * 3
    assert [entry["rule"] for entry in dry] == [
        entry["rule"] for entry in enforced]


def test_a_rule_in_dry_run_is_told_and_does_nothing(nginx, app):
    server = nginx(http=POLICY + """
        integrity_rule try_deny  "calls > 1" then=deny dry_run;
        integrity_rule try_score "calls > 2" score=70 dry_run;
        integrity_rule score     "calls > 3" score=40;
        integrity_scores hold=40 deny=100;
    """, server="""
        integrity_action order.create;
        location /on  { integrity on; proxy_pass http://%%APP%%; }
        location /dry { integrity dry_run; proxy_pass http://%%APP%%; }
        location /status { integrity_status; }
    """, APP=app)
    for path in ("/on", "/dry"):
        assert [post(server, path, path) for _ in range(4)] == [200] * 4
    rules = server.get("/status").json()["rule"]
    assert rules["try_deny"] == {"fired": 0, "would": 6, "unknown": 0}
    assert rules["score"] == {"fired": 1, "would": 1, "unknown": 0}
    entries = ledger(server)
    assert [(entry["decision"], entry.decision.get("would"), entry["score"],
             entry.decision.get("would_score")) for entry in entries] == [
        ("allow", None, 0, None), ("allow", "deny", 0, None),
        ("allow", "deny", 0, 70), ("hold", "deny", 40, 110),
        ("allow", None, 0, None), ("allow", "deny", 0, None),
        ("allow", "deny", 0, 70), ("allow", "deny", 40, 110)]
    assert [rule.get("dry_run") for rule in entries[3]["rule"]] == [
        True, True, None]


def test_a_rule_in_dry_run_takes_nothing_back(nginx, app):
    server = nginx(http=POLICY.replace("count=attempts", "") + """
        integrity_rule try_deny "calls > 1" then=deny dry_run;
    """, server="""
        integrity on; integrity_action order.create;
        location / { proxy_pass http://%%APP%%; }
    """, APP=app)
    assert [post(server, "/") for _ in range(3)] == [200] * 3
    assert [entry.calls for entry in ledger(server)] == [1, 2, 3]


def test_the_application_is_told_allow(nginx, app):
    server = nginx(http=POLICY, server="""
        location / {
            integrity dry_run; integrity_action order.create;
            proxy_set_header X-Integrity $integrity_verdict;
            proxy_set_header X-Rules $integrity_rules;
            proxy_pass http://%%APP%%;
        }
    """, APP=app)
    for account in ("bad", "hasty", "odd", "ann"):
        assert post(server, "/", account) == 200
    assert [call.headers["x-integrity"].split(";")[0]
            for call in app.requests] == ["allow"] * 4
    assert [call.headers.get("x-rules") for call in app.requests] == [
        "banned", "hasty", "odd", None]
