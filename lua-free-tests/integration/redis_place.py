"""A place whose calls are counted in Redis, for the tests of the client."""

import re

HTTP = """
    integrity_zone    integrity:4m;
    integrity_redis   %%REDIS%% %%OPTIONS%%;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account $http_x_account;
    integrity_field   device  $http_x_device;
    integrity_field   amount  $http_x_amount;
    integrity_counter hits on=review.create key=account window=1h;
    %%COUNTERS%%
    integrity_rule    often "hits > 1000000" then=throttle;
    %%RULES%%
"""

SERVER = """
        location / {
            integrity        on;
            integrity_action review.create;
            proxy_pass       http://%%APP%%;
        }
        location = /status { integrity_status; }
"""

EVERY_KIND = """
    integrity_counter log     on=review.create key=account window=1h exact max=50;
    integrity_counter devices on=review.create key=account window=1h distinct=device;
    integrity_counter total   on=review.create key=account window=1h sum=amount;
    integrity_counter average on=review.create key=account window=1h mean=amount;
    integrity_counter since   on=review.create key=account window=1h first warmup=1s;
    integrity_counter seen    on=review.create key=account window=1h last warmup=1s;
    integrity_counter done    on=review.create key=account window=1h count=completed;
"""

READ_EVERY_KIND = """
    integrity_rule reads "log + devices + total + average + since + seen + done < 0"
                   score=1;
"""


def place(nginx, app, redis, options="", counters="", rules="", **parts):
    """nginx before the application, counting in `redis`.

    The deadline is long, so that a busy machine does not pass for a slow
    Redis; tests of the deadline give their own.
    """
    if not re.search(r"(^| )timeout=", options):
        options += " timeout=2s"
    return nginx(http=HTTP, server=SERVER, APP=app, REDIS=redis,
                 OPTIONS=options, COUNTERS=counters, RULES=rules, **parts)


def call(server, account="a", device="d", amount="2"):
    """One call; returns what its audit line says of the evaluation."""
    before = len(server.audit_lines("decision"))
    answer = server.post("/", json={}, headers={
        "X-Account": account, "X-Device": device, "X-Amount": amount})
    assert answer.status_code == 200
    # the line is written before the decision takes effect
    (line,) = server.audit_lines("decision")[before:]
    return line["evaluation"]


def status(server):
    """The `redis` part of the status page."""
    return server.get("/status").json()["redis"]


def is_ready(server):
    now = status(server)
    return now["up"] == 1 and now["breaker"] == 0


def redis_errors(server):
    """What the error log says of Redis, at level error, as (second, text)."""
    return re.findall(r"^(\S+ \S+) \[error\] .*integrity: redis [^ ]+: (.*)$",
                      server.error_log, re.MULTILINE)


def count_key(client, counter="hits"):
    """The counter's only key in Redis, or None."""
    keys = [key for key in client.keys(f"ig:1:{{{counter}:*")]
    assert len(keys) <= 1
    return keys[0] if keys else None
