"""A small log in which every kind of line stands, and what is true of it.

A shop, m-42, has its cream praised: by three shoppers, and by four accounts on
one device. One account writes on and on; two orders too fast; one is banned by
hand, and the ban is lifted again. test_guide.py, test_lnav.py and others read
the log with other people's tools and compare with what is written here.
"""

import json
import subprocess
import time

from . import senders
from .settings import CTL, wait_until

POLICY = """\
integrity_field  account   $http_x_account   private;
integrity_field  device    $http_x_device    private;
integrity_field  merchant  json:/merchant;
integrity_field  product   json:/product;
integrity_field  rating    json:/rating;
integrity_field  content   json:/content     text;

integrity_counter  account_1h       on=review.create  key=account  window=1h;
integrity_counter  device_accounts  on=review.create  key=device   window=24h  distinct=account;
integrity_counter  orders_1h        on=order.create   key=account  window=1h;
integrity_list     banned           key=account;

integrity_threshold  reviews_per_hour     10;
integrity_threshold  accounts_per_device  3;

integrity_rule  banned       "banned"                                 on=review.create  then=deny;
integrity_rule  too_fast     "account_1h > reviews_per_hour"          on=review.create  then=throttle;
integrity_rule  too_fast_8   "account_1h > 8"                         on=review.create  then=throttle dry_run;
integrity_rule  device_farm  "device_accounts > accounts_per_device"  on=review.create  score=60;
integrity_rule  order_spree  "orders_1h > 2"                          on=order.create   then=throttle;
integrity_scores  hold=50;
"""

HTTP = """
    integrity_zone    integrity:4m new_keys=1000000;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_node    edge-1;
    include           %%DIR%%/policy.conf;
    map "$request_method $uri" $operation {
        "POST /v1/reviews"  review.create;
        "POST /v1/orders"   order.create;
    }
    server { listen 127.0.0.1:%%PORT_APP%%; return 201; }
"""

SERVER = """
        listen 127.0.0.1:%%PORT%%;
        listen unix:%%DIR%%/control.sock;
        add_header X-Event $integrity_event_id always;
        location /v1/ {
            integrity         on;
            integrity_action  $operation;
            proxy_pass        http://127.0.0.1:%%PORT_APP%%;
        }
        location = /integrity/status  { integrity_status; }
        location = /integrity/control {
            integrity_control; allow unix:; deny all;
        }
"""

RING = [f"ring-{number}" for number in range(1, 5)]
REASON = 'praises "cream" for money, says the ring\'s own forum'

# What is true of the log.
KINDS = {"decision", "outcome", "repeat", "unclassified", "list", "key",
         "load", "policy", "chain_open", "chain_close", "segment_end",
         "segment_start"}
PRAISED = {"ann", "bob", "cho", *RING}      # gave the cream five stars
TRIED_AT_8 = 3              # dry run: the 9th, 10th and 11th review
WRITER = "writer"
BANNED = "ring-4"


def review(account, device, **more):
    body = {"merchant": "m-42", "product": "cream", "rating": 5,
            "content": f"A lovely cream, says {account} of it", **more}
    return senders.post_request(
        "/v1/reviews", json.dumps(body).encode(),
        {"X-Account": account, "X-Device": device})


def order(account):
    return senders.post_request(
        "/v1/orders", b'{"merchant":"m-42","product":"cream"}',
        {"X-Account": account, "X-Device": f"phone of {account}"})


def ctl(server, *words):
    """A person's question or change, about the one who is banned."""
    done = subprocess.run(
        [CTL, *words, f"account={BANNED}", "--socket",
         f"unix:{server.dir}/control.sock", "--by", "ada", "--reason", REASON],
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def change(server, op, *more):
    ctl(server, "list", op, "banned", *more)


def make(nginx, **parts):
    """The server, on its policy, not yet started."""
    server = nginx(http=HTTP, server=SERVER, start=False, **parts)
    (server.dir / "policy.conf").write_text(POLICY)
    return server


def _load(server):
    """An order of an hour before, as the shop's own records have it."""
    events = server.dir / "orders.jsonl"
    events.write_text(json.dumps({
        "time": time.time() - 1800, "action": "order.create",
        "account": "eve"}) + "\n")
    done = subprocess.run(
        [CTL, "load", "-c", server.conf_path, "--socket",
         f"unix:{server.dir}/control.sock", "--by", "ada", "--reason",
         "history", events], capture_output=True, text=True, timeout=60,
        check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _statuses(server, *requests):
    return [server.raw(request).status for request in requests]


def _reviews(server):
    """Three shoppers, a ring on one device, one who writes on and on."""
    assert _statuses(server, *(review(name, f"phone of {name}")
                               for name in ("ann", "bob", "cho"))) == [201] * 3
    assert _statuses(server, *(review(name, "the ring's tablet")
                               for name in RING)) == [201] * 4
    assert _statuses(server, *(
        review(WRITER, "a typewriter", rating=1, merchant=f"m-{number}")
        for number in range(11))) == [201] * 10 + [429]


def _rotate(server):
    moved = server.dir / "audit.log.1"
    server.audit_path.rename(moved)
    server.reopen(moved)


def tell_all(server, rotate=_rotate):
    """Lets it all happen on a started server, to the last of the kinds but
    those that are written when it ends."""
    _reviews(server)
    rotate(server)
    # over the limit and nothing else to say: answered from shared memory
    assert _statuses(server, *(order("dan") for _ in range(6))) \
        == [201] * 2 + [429] * 4
    change(server, "add", "--for", "7d")
    assert _statuses(server, review(BANNED, "the ring's tablet")) == [403]
    change(server, "remove")
    ctl(server, "key", "inspect", "account_1h")
    _load(server)
    # an endpoint that the map does not know
    assert _statuses(server, senders.post_request("/v1/refunds", b"{}")) \
        == [201]
    wait_until(lambda: server.audit_lines("unclassified"))


def tell(nginx, **parts):
    """Lets it all happen and returns the ended server."""
    server = make(nginx, **parts).start()
    tell_all(server)
    server.quit()
    return server
