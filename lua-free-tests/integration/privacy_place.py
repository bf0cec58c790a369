"""Unmistakable persons, every way in which they call, and everything that the
system writes about them: for test_privacy.py."""

import base64
import gzip
import hmac
import json
import os
import re
import subprocess
import urllib.parse
from pathlib import Path

from harness.settings import CTL, NGINX, SANITIZED, SANITIZER_ENVIRONMENT
from harness.sieve import Sieve

TOKENS = {
    "account": "zq7Anna4711kx", "device": "zq7Phone5822lw",
    "card": "zq7Card6933mv", "owner": "zq7Owner7044nu",
    "mail": "zq7Mail8155ot", "friend": "zq7Friend9266ps",
    "content": "zq7Kettle1377qr", "note": "zq7Note2488rq",
    "cookie": "zq7Cookie3599sp", "query": "zq7Query4600to",
    "header": "zq7Header5711un", "mode": "zq7Mode6822vm",
    "by_hand": "zq7Hand7933wl",
}

VALUES = {
    "account": 'Anna "zq7Anna4711kx" M\u00fcller/5',
    "device": "zq7Phone5822lw\\\u00e9", "card": "zq7Card6933mv +%&",
    "owner": "zq7Owner7044nu", "mail": "zq7Mail8155ot@example.org",
    "friend": "zq7Friend9266ps", "phone": 8613955501234,
    "holder": "\u5f20\u4e09\u4e30\u674e\u56db", "address": "2001:db8:5a71:3b9d:11:22:33:77",
    "prefix": bytes.fromhex("20010db85a713b9d"),
    "content": "Der Wasserkocher zq7Kettle1377qr ist gro\u00dfartig, er kocht "
               "schnell und leise und sieht gut aus",
    "note": "zq7Note2488rq", "cookie": "zq7Cookie3599sp",
    "query": "zq7Query4600to", "header": "zq7Header5711un",
    "mode": "zq7Mode6822vm", "by_hand": "zq7Hand7933wl",
}

# These stand in bodies alone, of which nginx itself says nothing either.
IN_BODIES = {"device", "friend", "phone", "holder", "content", "note"}

# To see that the sieve holds what there is: this one is not private.
MERCHANT = "zq7Shop8044xk"

SIEVE = Sieve(VALUES, TOKENS)

MAPS = """
    map "$request_method $uri" $operation {
        "~^POST /v1/(?<who>[^/]+)/orders$"  order.create;
        "~^POST /v1/(?<who>[^/]+)/reviews$" review.create;
        "~^POST /v1/(?<who>[^/]+)/other$"   "no $who";
    }
"""

POLICY = MAPS + """
    integrity_zone    integrity:4m;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_node    edge-1;
    integrity_field   account  $http_x_account  %%PRIVATE%% decode;
    integrity_field   device   json:/device     %%PRIVATE%%;
    integrity_field   card     $arg_card        %%PRIVATE%% decode;
    integrity_field   owner    $who             %%PRIVATE%% on=order.*,review.*;
    integrity_field   mail     $cookie_mail     %%PRIVATE%%;
    integrity_field   friends  json:/friends/*  %%PRIVATE%%;
    integrity_field   phone    json:/phone      %%PRIVATE%%;
    integrity_field   holder   json:/holder     %%PRIVATE%%;
    integrity_field   network  $remote_addr     %%PRIVATE%% net=32/128;
    integrity_field   content  json:/content    text;
    integrity_field   merchant json:/merchant;
    integrity_counter hits     key=account      window=1h;
    integrity_counter burst    key=device       window=1h exact;
    integrity_counter devices  key=account      window=1d distinct=device;
    integrity_counter circle   key=friends      window=1d distinct=phone;
    integrity_counter known    key=holder,mail  window=30d first warmup=0;
    integrity_counter paid     key=card         window=30d last warmup=0;
    integrity_counter spread   key=network      window=1d distinct=owner;
    integrity_counter copies   window=30d similar=content distinct=account;
    integrity_counter phones   key=phone        window=1h count=attempts;
    integrity_counter denials  on=decision.deny key=account window=1d;
    integrity_list    banned   key=account;
    integrity_list    %%LIST%% key=device;
    integrity_rule    banned   "banned"         then=deny;
    integrity_rule    fast     "hits > 4"       then=throttle;
    integrity_rule    copied   "copies >= 1"    on=review.create score=60;
    integrity_rule    odd      "hits > 1 && has(known) || !has(paid) ||
                                spread > 99 || circle > 99 || burst > 99"
                               score=1;
    integrity_rule    add      "hits > 3"       add=%%LIST%%:1h;
    integrity_scores  hold=50;
"""

# What an application gets of a call as a matter of course. The operation is
# first: its map sets what the owner is taken from.
PASSED = """
    set_real_ip_from  127.0.0.1;
    real_ip_header    X-Address;
    proxy_set_header  X-Operation $operation;
    proxy_set_header  X-Account   $http_x_account;
    proxy_set_header  X-Address   $http_x_address;
    proxy_set_header  X-Card      $arg_card;
    proxy_set_header  X-Mail      $cookie_mail;
    proxy_set_header  X-Owner     $who;
    proxy_set_header  X-Mode      $http_x_mode;
    client_body_buffer_size 1k;
"""

PLACES = """
    listen 127.0.0.1:%%PORT%%;
    listen unix:%%DIR%%/control.sock;
""" + PASSED + """
    integrity_action $operation;
    proxy_set_header X-Integrity $integrity_verdict;
    proxy_set_header X-Pseudonym "$integrity_field_account
        $integrity_field_device $integrity_field_content";
    location / { integrity on; proxy_pass http://%%APP%%; }
    location /dry/ { integrity dry_run; rewrite ^/dry(/.*)$ $1 break;
                     proxy_pass http://%%APP%%; }
    location /v1/mode/ { integrity $http_x_mode; proxy_pass http://%%APP%%; }
    location = /status { integrity_status; }
    location = /control { integrity_control; allow unix:; deny all; }
"""

BARE = """
    listen 127.0.0.1:%%PORT%%;
""" + PASSED + """
    location / { proxy_pass http://%%APP%%; }
    location /dry/ { rewrite ^/dry(/.*)$ $1 break;
                     proxy_pass http://%%APP%%; }
    location /v1/mode/ { proxy_pass http://%%APP%%; }
"""


# -- calls --------------------------------------------------------------------

def _body(**changes):
    return json.dumps({
        "device": VALUES["device"], "friends": [VALUES["friend"], "x"],
        "phone": VALUES["phone"], "holder": VALUES["holder"],
        "content": VALUES["content"], "note": VALUES["note"],
        "merchant": MERCHANT, **changes}).encode()


def _call(server, what="orders", body=None, prefix="", owner=None, **headers):
    headers = {
        "X-Account": urllib.parse.quote(VALUES["account"]),
        "X-Address": VALUES["address"], "X-Other": VALUES["header"],
        "Cookie": f"mail={VALUES['mail']}; sid={VALUES['cookie']}",
        "X-Mode": "on", "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()}}
    query = urllib.parse.urlencode({"card": VALUES["card"],
                                    "q": VALUES["query"]})
    return server.request(
        "POST", f"{prefix}/v1/{owner or VALUES['owner']}/{what}?{query}",
        headers=headers, content=_body() if body is None else body
    ).status_code


def call_all(server):
    """Every way a call can go; returns the answers."""
    upper = {key: value.upper() for key, value in VALUES.items()
             if isinstance(value, str)}
    answers = [_call(server) for _ in range(7)]
    answers += [_call(server, "reviews", X_Account=f"other{n}")
                for n in range(3)]
    answers += [
        _call(server, "other"), _call(server, prefix="/dry"),
        _call(server, body=b'{"device":"' + VALUES["device"].encode()),
        _call(server, body=_body(device={"a": VALUES["device"]})),
        _call(server, body=_body(filler="x" * 20000)),
        _call(server, body=_body(filler="x" * 4000), X_Account="big"),
        _call(server, Content_Type="text/plain"),
        _call(server, Content_Encoding="gzip", body=gzip.compress(_body())),
        _call(server, X_Account=upper["account"].encode(), owner=upper["owner"],
              body=_body(device=upper["device"], holder=upper["holder"])),
        _call(server, owner="mode", X_Mode=VALUES["mode"]),
        _call(server, X_Account=base64.b64encode(
            VALUES["account"].encode()).decode()),
    ]
    return answers


# -- what people do -----------------------------------------------------------

WHO = ("--by", "ada", "--reason", "ticket 7")


def ctl(*arguments, codes=(0, 1)):
    """What a subcommand says, on both outputs."""
    done = subprocess.run([str(CTL), *map(str, arguments)], timeout=60,
                          capture_output=True, check=False)
    assert done.returncode in codes, (arguments, done)
    return done.stdout + done.stderr


def asked(server, *arguments, **options):
    return ctl(*arguments, "--socket", f"unix:{server.dir}/control.sock",
               "--uri", "/control", **options)


# -- what is written ----------------------------------------------------------

def subkeys(server):
    """{name: bytes} of the secret and all that is derived from it."""
    raw = base64.b64decode(server.secret_path.read_text().split(":")[1])
    extracted = hmac.digest(bytes(32), raw, "sha256")
    return {"key": raw, **{
        name: hmac.digest(extracted, b"nginx-integrity/" + name.encode()
                          + b"\x01", "sha256")
        for name in ("store", "pseudonym", "text", "verdict", "similar")}}


def configuration(server):
    """`nginx -T`."""
    done = subprocess.run(
        [str(NGINX), "-p", str(server.dir), "-c", str(server.conf_path), "-e",
         str(server.error_path), "-T"], capture_output=True, timeout=60,
        check=True, env={**os.environ, **(
            SANITIZER_ENVIRONMENT if SANITIZED else {})})
    return done.stdout + done.stderr


def status(server):
    return {form: server.get("/status" + form).content
            for form in ("", "?format=prometheus")}


def zone(server):
    """The shared zone, as a worker has it mapped."""
    pid = server.worker_pids()[0]
    found = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end in shared(pid):
            memory.seek(begin)
            found += memory.read(end - begin)
    return found


def shared(pid):
    """Mappings that are shared and of no file."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        match = re.match(r"(\w+)-(\w+) rw-s .*/dev/zero", line)
        if match:
            yield tuple(int(part, 16) for part in match.groups())


def redis_content(redis):
    """Keys, values by their type, DUMPs and the whole RDB."""
    client = redis.client()
    found = []
    for key in client.scan_iter():
        kind = client.type(key)
        found += [key, client.dump(key), repr({
            b"string": client.get, b"hash": client.hgetall,
            b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        }[kind](key)).encode()]
    client.save()
    found.append((redis.dir / "dump.rdb").read_bytes())
    return found
