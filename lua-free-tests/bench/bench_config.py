"""
Owns: the variants that are compared, and the nginx configuration of each.
Borrows: nothing.
Called by: bench.py, bench_report.py.
"""

from dataclasses import dataclass

# Every variant forwards the same requests over the same kept connections to
# the same application; only what is between "location" and "proxy_pass", and
# what is logged, differs.
FRAME = """\
{load}
{user}
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
events {{ worker_connections 4096; }}

http {{
    client_body_temp_path {dir}/t1;
    proxy_temp_path       {dir}/t2;
    fastcgi_temp_path     {dir}/t3;
    uwsgi_temp_path       {dir}/t4;
    scgi_temp_path        {dir}/t5;

    keepalive_requests 1000000000;

    upstream application {{
        server 127.0.0.1:{backend};
        keepalive 256;
        keepalive_requests 1000000000;
    }}

{log}
{http}
    server {{
        listen 127.0.0.1:{port} backlog=1024;

        location /v1/ {{
{location}
            proxy_http_version 1.1;
            proxy_set_header   Connection "";
            proxy_pass         http://application;
        }}
    }}
}}
"""

# Unbuffered, because the module too writes its record before it answers.
JSON_LOG = """\
    log_format json escape=json
        '{"time":"$time_iso8601","client":"$remote_addr",'
        '"method":"$request_method","uri":"$request_uri","status":$status,'
        '"bytes":$body_bytes_sent,"duration":$request_time,'
        '"upstream":"$upstream_addr","upstream_status":"$upstream_status",'
        '"upstream_duration":"$upstream_response_time",'
        '"account":"$http_x_account","device":"$http_x_device_id",'
        '"agent":"$http_user_agent","request":"$request_id"}';
    access_log DIR/access.log json;
"""

NO_LOG = "    access_log off;\n"

LIMITS = """\
    map $uri $product {
        "~^/v1/products/(?<sku>[^/]+)/reviews$"  $sku;
    }

    limit_req_zone $http_x_account   zone=account:10m rate=RATE;
    limit_req_zone $http_x_device_id zone=device:10m  rate=100000r/s;
    limit_req_zone $product          zone=product:10m rate=100000r/s;
    limit_req_status    429;
    limit_req_log_level notice;
"""

LIMITS_HERE = """\
            limit_req zone=account BURST;
            limit_req zone=device  burst=100000 nodelay;
            limit_req zone=product burst=100000 nodelay;
"""

POLICY = """\
    integrity_zone   integrity:32m new_keys=1000000000;
REDIS
    integrity_secret DIR/integrity.key;
    integrity_audit  DIR/audit.log;

    map "$request_method $uri" $operation {
        "~^POST /v1/products/(?<sku>[^/]+)/reviews$"  review.create;
        "~^POST /v1/orders$"                          order.create;
    }

    integrity_field  account   $http_x_account    private;
    integrity_field  device    $http_x_device_id  private;
    integrity_field  product   $sku               on=review.create;
    integrity_field  merchant  json:/merchant_id;
    integrity_field  rating    json:/rating;

    integrity_counter  account_1h  on=review.create  key=account  window=1h;
    integrity_counter  device_1h   on=review.create  key=device   window=1h;
    integrity_counter  product_7d  on=review.create  key=product  window=7d;

"""

QUIET_RULES = """\
    integrity_rule  too_fast  "account_1h > 1000000"  on=review.create
                    then=throttle;
    integrity_rule  device    "device_1h > 1000000"   on=review.create
                    score=60;
    integrity_rule  praise    "product_7d > 100000000 && rating >= 4"
                    on=review.create  score=30;
    integrity_scores  hold=50 throttle=80 deny=100;
"""

# One enforced "counter > constant" and nothing that could change the answer:
# what is over the limit may be answered from shared memory.
THROTTLE_RULE = """\
    integrity_rule  too_fast  "account_1h > 10"  on=review.create
                    then=throttle;
"""

POLICY_HERE = """\
            integrity         on;
            integrity_action  $operation;
"""

VERDICT_HERE = """\
            proxy_set_header  X-Integrity $integrity_verdict;
"""

FREE = LIMITS.replace("RATE", "100000r/s")
FREE_HERE = LIMITS_HERE.replace("BURST", "burst=100000 nodelay")
TIGHT = LIMITS.replace("RATE", "1r/m")
TIGHT_HERE = LIMITS_HERE.replace("BURST", "nodelay")


@dataclass(frozen=True)
class Variant:
    key: str
    title: str
    http: str
    location: str
    log: str = JSON_LOG
    status: int = 200
    module: bool = False
    redis: bool = False
    one_account: bool = False


VARIANTS = {v.key: v for v in (
    Variant("a", "plain nginx, JSON access log", "", ""),
    Variant("b", "limit_req, three zones, JSON access log", FREE, FREE_HERE),
    Variant("c", "module, embedded store", POLICY + QUIET_RULES, POLICY_HERE,
            log=NO_LOG, module=True),
    Variant("d", "module, Redis", POLICY + QUIET_RULES, POLICY_HERE,
            log=NO_LOG, module=True, redis=True),
    Variant("e", "module, Redis, rejecting", POLICY + THROTTLE_RULE,
            POLICY_HERE, log=NO_LOG, status=429, module=True, redis=True,
            one_account=True),
    Variant("f", "limit_req, rejecting, JSON access log", TIGHT, TIGHT_HERE,
            status=429, one_account=True),

    # only where asked for with --variants
    Variant("g", "limit_req, rejecting, no log", TIGHT, TIGHT_HERE,
            log=NO_LOG, status=429, one_account=True),
    Variant("h", "plain nginx, no log", "", "", log=NO_LOG),
    Variant("i", "module, Redis, signed verdict header", POLICY + QUIET_RULES,
            POLICY_HERE + VERDICT_HERE, log=NO_LOG, module=True, redis=True),
    Variant("j", "module loaded, no integrity in the location, JSON access log",
            POLICY + QUIET_RULES, "", module=True, redis=True),
    Variant("k", "module, embedded store, rejecting", POLICY + THROTTLE_RULE,
            POLICY_HERE, log=NO_LOG, status=429, module=True,
            one_account=True),
)}

DEFAULT = "abcdef"


def render(variant, directory, port, backend, module, redis, root):
    """The text of nginx.conf; redis is the path of its socket or None."""
    line = ""

    if variant.redis:
        line = f"    integrity_redis  unix:{redis} timeout=20ms;"

    def fill(text):
        return text.replace("DIR", str(directory)).replace("REDIS", line)

    return FRAME.format(
        load=f"load_module {module};" if variant.module else "",
        user="user root;" if root else "",
        dir=directory, backend=backend, port=port,
        log=fill(variant.log), http=fill(variant.http),
        location=variant.location)
