"""integrity_control and `integrityctl list`: people change lists, on the record."""

import json
import re
import socket
import subprocess
import time

import pytest

from harness.settings import CTL, wait_until
from test_audit_file import disk  # noqa: F401
from test_lists import HEAD, post, store  # noqa: F401

POLICY = HEAD + """
    integrity_field  network $http_x_network net=24/56;
    integrity_list   banned  key=account;
    integrity_list   pairs   key=merchant,account;
    integrity_list   nets    key=network;
    integrity_rule   banned  "banned"  then=deny;
    integrity_rule   pairs   "pairs"   then=throttle;
    integrity_rule   nets    "nets"    then=hold;
"""

PLACES = """
    listen 127.0.0.1:%%PORT%%;
    listen unix:%%DIR%%/control.sock;
    integrity_action order.create;
    location / {
        integrity on; integrity_tenant $http_x_tenant;
        proxy_pass http://%%APP%%;
    }
    location = /integrity/control { integrity_control; %%WHO%% }
"""

WHY = ("--reason", "a ring of 40 accounts", "--by", "ada")


def make(nginx, app, store, access="allow unix:; deny all;", **parts):  # noqa: F811
    return nginx(http=POLICY + store, server=PLACES, APP=app, WHO=access,
                 **parts)


def ctl(server, *arguments, sock=None):
    """(exit code, the answer or what was said)."""
    path = sock or f"unix:{server.dir}/control.sock"
    done = subprocess.run(
        [str(CTL), "list", *arguments, "--socket", path],
        capture_output=True, text=True, timeout=60, check=False)
    assert not (done.stdout and done.stderr)
    if done.stdout.startswith("{"):
        return done.returncode, json.loads(done.stdout)
    return done.returncode, done.stderr or done.stdout


def changes(server):
    return server.audit_lines("list")


def test_what_operators_ask_is_no_call(nginx, app):
    """The location inherits from http that calls without an action are
    refused: operators were locked out, or noted as unclassified calls."""
    server = nginx(http=POLICY + """
        integrity on;
        integrity_action $http_x_action unclassified=deny;
        """, server=PLACES.replace("integrity_action order.create;", ""),
        APP=app, WHO="")
    code, said = ctl(server, "add", "banned", "account=ann", "--for", "1h",
                     *WHY)
    assert code == 0 and said["listed"], said
    server.quit()
    assert server.audit_lines("unclassified") == []
    assert server.audit_lines("decision") == []


def test_a_key_put_on_a_list_and_taken_off(nginx, app, store):  # noqa: F811
    server = make(nginx, app, store)
    assert post(server, "ann") == 200
    assert ctl(server, "show", "banned", "account=ann") == (
        1, {"op": "show", "list": "banned", "listed": False})

    begin = time.time()
    code, said = ctl(server, "add", "banned", "account=ann", "--for", "2h",
                     *WHY)
    assert code == 0
    assert said["listed"] is True and said["op"] == "add"
    # at once, not within a second
    assert post(server, "ann") == 403
    assert post(server, "bob") == 200
    assert time.time() - begin < 5

    code, shown = ctl(server, "show", "banned", "account=ann")
    assert (code, shown["until"]) == (0, said["until"])

    # said again, it is longer or shorter from now on
    code, again = ctl(server, "add", "banned", "account=ann", "--for", "1h",
                      *WHY)
    assert code == 0 and again["until"] < said["until"]
    assert ctl(server, "show", "banned", "account=ann")[1][
        "until"] == again["until"]

    code, gone = ctl(server, "remove", "banned", "account=ann", *WHY)
    assert code == 0 and gone["listed"] is False
    assert post(server, "ann") == 200
    assert ctl(server, "show", "banned", "account=ann",
               "--json")[0] == 1
    # what is not there can be taken off
    assert ctl(server, "remove", "banned", "account=ann", *WHY)[0] == 0

    lines = changes(server)
    assert [line["op"] for line in lines] == ["add", "add", "remove",
                                              "remove"]
    assert [line.get("until") for line in lines] == [
        said["until"], again["until"], None, None]
    assert {line["name"] for line in lines} == {"banned"}
    assert {(line["by"], line["reason"]) for line in lines} == {
        ("ada", "a ring of 40 accounts")}
    assert [line["event"] for line in lines[:3]] == [
        said["event"], again["event"], gone["event"]]
    # the account itself is nowhere; its pseudonym is that of its calls
    (denied,) = [line for line in server.audit_lines("decision")
                 if line["decision"] == "deny"]
    assert {line["field"]["account"] for line in lines} == {
        denied["field"]["account"]}
    assert denied["field"]["account"].startswith("p:k1:")


def test_it_is_recorded_before_it_takes_effect(nginx, app, store):  # noqa: F811
    server = make(nginx, app, store)
    assert ctl(server, "add", "banned", "account=ann", "--for", "2h",
               *WHY)[0] == 0
    assert post(server, "ann") == 403
    text = server.audit_path.read_text()
    assert text.index('"kind":"list"') < text.index('"decision":"deny"')
    assert '"ann"' not in text and "ann" not in server.error_log


def test_a_change_that_cannot_be_recorded_is_none(nginx, app, store, disk):  # noqa: F811
    log = disk.path / "audit.log"
    server = nginx(http=(POLICY + store).replace("%%AUDIT%%", str(log)),
                   server=PLACES, APP=app, WHO="allow unix:; deny all;")
    disk.fill()
    for number in range(100):
        code, answer = control(server, **{
            **GOOD, "key": {"account": f"a{number}"}})
        if code != 200:
            break
    assert code == 503
    assert answer["error"] == ("the audit log cannot be written: nothing was "
                               "changed")
    disk.empty()
    assert post(server, f"a{number}") == 200
    if number:
        assert post(server, f"a{number - 1}") == 403
    server.quit()


def test_control_needs_a_log(nginx, app):
    server = make(nginx, app, "", start=False)
    server.configure(http=POLICY.replace("integrity_audit   %%AUDIT%%;", ""))
    server.declare(log=[r"\[emerg\]"])
    status, said = server.test()
    assert status != 0
    assert re.search(r'"integrity_control" needs "integrity_audit": every '
                     r'change to a list is recorded in .*nginx.conf:\d+',
                     said)


def test_keys_of_several_fields_tenants_and_networks(nginx, app, store):  # noqa: F811
    server = make(nginx, app, store)

    def status(account, tenant=None, merchant="m", network="10.1.2.3"):
        return server.post("/", headers={
            "X-Account": account, "X-Merchant": merchant,
            "X-Network": network,
            **({"X-Tenant": tenant} if tenant else {})}).status_code

    assert ctl(server, "add", "pairs", "account=ann", "merchant=m",
               "--for=1h", *WHY)[0] == 0
    assert [status("ann"), status("ann", merchant="n"), status("bob")] == [
        429, 200, 200]

    assert ctl(server, "add", "banned", "account=ann", "--tenant", "north",
               "--for", "1h", *WHY)[0] == 0
    assert status("ann", "north") == 403
    assert status("ann", "south") == 200
    assert changes(server)[-1]["tenant"] == "north"

    # an address stands for its network, and so does the network
    for key in ("10.1.2.77", "10.1.2.0/24"):
        assert ctl(server, "add", "nets", f"network={key}", "--for", "1h",
                   *WHY)[0] == 0
        assert changes(server)[-1]["field"] == {"network": "10.1.2.0/24"}
    assert status("eve") == 200
    assert server.audit_lines("decision")[-1]["decision"] == "hold"
    assert status("eve", network="10.1.3.3") == 200
    assert server.audit_lines("decision")[-1]["decision"] == "allow"

    # numbers and their text are one key
    answer = control(server, op="add", list="banned", key={"account": 42},
                     reason="r", by="b", **{"for": "1h"})
    assert answer[0] == 200
    assert status("42") == 403


def control(server, raw=None, method="POST", kind="application/json", **said):
    """A request on the socket: (status, the answer as JSON or text)."""
    body = (raw if raw is not None else json.dumps(said)).encode()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(30)
        sock.connect(f"{server.dir}/control.sock")
        sock.sendall(f"{method} /integrity/control HTTP/1.1\r\nHost: x\r\n"
                     f"Connection: close\r\nContent-Type: {kind}\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        data = b""
        while True:
            part = sock.recv(65536)
            if not part:
                break
            data += part
    head, _, text = data.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    return status, json.loads(text) if text[:1] == b"{" else text


GOOD = {"op": "add", "list": "banned", "key": {"account": "ann"},
        "for": "1h", "reason": "r", "by": "b"}


@pytest.mark.parametrize("change, status, words", [
    ({"op": "ban"}, 400, '"op" is none of add, remove, show, inspect, reset'),
    ({"op": 5}, 400, '"op" is none of add, remove, show, inspect, reset'),
    ({"list": "nobody"}, 404, '"nobody" is no list'),
    ({"list": "x" * 300}, 404, "is no list"),
    ({"key": {}}, 400, '"account" is a field of the list\'s key and has no '
                       'value'),
    ({"key": None}, 400, '"account" is a field'),
    ({"key": {"account": ""}}, 400, '"account" is a field'),
    ({"key": {"account": ["a"]}}, 400, '"account" is a field'),
    ({"key": {"account": "a", "merchant": "m"}}, 400,
     '"merchant" is no field of the list\'s key'),
    ({"for": "soon"}, 400, '"for" wants a duration from 1s to 10y'),
    ({"for": "999ms"}, 400, '"for" wants a duration from 1s to 10y'),
    ({"for": "11y"}, 400, '"for" wants a duration from 1s to 10y'),
    ({"for": 7}, 400, '"for" wants a duration from 1s to 10y'),
    ({"reason": ""}, 400, '"reason" wants 1 to 256 bytes'),
    ({"reason": "x" * 257}, 400, '"reason" wants 1 to 256 bytes'),
    ({"op": "remove", "by": None}, 400, '"by" wants 1 to 128 bytes'),
])
def test_wrong_requests(nginx, app, change, status, words):
    server = make(nginx, app, "")
    code, answer = control(server, **{**GOOD, **change})
    assert code == status
    assert words in answer["error"]
    assert not changes(server)
    assert post(server, "ann") == 200


def test_requests_that_are_none(nginx, app):
    server = make(nginx, app, "")
    for raw in ("", "{", "[]", "5", "[[[[[1]]]]]", '{"op":"add","op":"add"}',
                '{"a":[' + "1," * 80 + "1]}"):
        code, answer = control(server, raw=raw)
        assert code == 400 and answer["error"], raw
    assert control(server, **GOOD, method="GET")[0] == 405
    assert control(server, **GOOD, method="PUT")[0] == 405
    assert control(server, **GOOD, kind="text/plain")[0] == 415
    assert control(server, raw=" " * 20000 + "{}")[0] in (400, 413)
    assert not changes(server)
    assert control(server, **GOOD)[0] == 200


def test_who_may_is_nginx_s_business(nginx, app):
    server = make(nginx, app, "")
    answer = server.post("/integrity/control", json=GOOD)
    assert answer.status_code == 403
    assert not changes(server)


def test_the_store_is_down(nginx, app, redis):
    server_redis = redis()
    server = make(nginx, app, f"integrity_redis {server_redis} timeout=1s;")
    assert control(server, **GOOD)[0] == 200
    server.declare(log=[r"\[error\] .*redis"])
    server_redis.stop()
    code, answer = control(server, **{**GOOD, "key": {"account": "bob"}})
    assert code == 503 and "the store did not answer" in answer["error"]
    assert control(server, **{**GOOD, "op": "show"})[0] == 503
    assert [line.get("failed") for line in changes(server)] == [
        None, None, True]
    first, second = changes(server)[1:]
    assert first["event"] == second["event"]


def test_a_client_that_leaves_changes_it_all_the_same(nginx, app, redis,
                                                      fake_redis):
    """It is in the log already: what that says must happen."""
    server_redis = redis()
    slow = fake_redis(upstream=server_redis)
    server = make(nginx, app, f"integrity_redis {slow} timeout=5s;")
    assert post(server, "bob") == 200
    slow.delay = 0.3
    body = json.dumps(GOOD).encode()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(f"{server.dir}/control.sock")
        sock.sendall(b"POST /integrity/control HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Type: application/json\r\nContent-Length: "
                     + str(len(body)).encode() + b"\r\n\r\n" + body)
        wait_until(lambda: changes(server), what="the record")
    wait_until(lambda: server_redis.client().keys("ig:1:{banned:*"),
               what="the entry")
    slow.delay = 0
    assert post(server, "ann") == 403
    assert len(changes(server)) == 1


def test_on_all_nodes_at_once(nginx, app, redis):
    server_redis = redis()
    line = f"integrity_redis {server_redis} timeout=1s;"
    one, two = make(nginx, app, line), make(nginx, app, line)
    two_secret = one.secret_path.read_bytes()
    two.secret_path.write_bytes(two_secret)
    two.reload()
    assert post(two, "ann") == 200
    assert ctl(one, "add", "banned", "account=ann", "--for", "1h", *WHY)[0] == 0
    assert post(two, "ann") == 403
    assert ctl(two, "remove", "banned", "account=ann", *WHY)[0] == 0
    assert post(one, "ann") == 200


def test_a_list_survives_a_reload(nginx, app, store):  # noqa: F811
    server = make(nginx, app, store)
    assert ctl(server, "add", "banned", "account=ann", "--for", "1h",
               *WHY)[0] == 0
    server.reload()
    assert post(server, "ann") == 403


def test_it_ends_by_itself(nginx, app, store):  # noqa: F811
    server = make(nginx, app, store)
    assert ctl(server, "add", "banned", "account=ann", "--for", "1s",
               *WHY)[0] == 0
    assert post(server, "ann") == 403
    wait_until(lambda: post(server, "ann") == 200, what="the end of the ban")


@pytest.mark.parametrize("arguments, words", [
    ((), "expected"), (("add", "banned"), "expected"),
    (("ban", "banned", "account=a"), 'instead of "ban"'),
    (("add", "banned", "account", "--for", "1h", *WHY),
     '"account" is not FIELD=VALUE'),
    (("add", "banned", "account=a", *WHY), "--for TIME is missing"),
    (("add", "banned", "account=a", "--for", "1h", "--by", "x"),
     "--reason TEXT is missing"),
    (("remove", "banned", "account=a", "--reason", "x"),
     "--by NAME is missing"),
    (("show", "banned", "account=a", "--until", "x"), 'unknown option "--until"'),
    (("show", "banned", "account=a", "--uri", "x y"), '"x y" is no path'),
    (("show", "banned", "account=a", "--by="), "needs a value"),
    (("show", "banned", "account=" + "a" * 9000), "too long"),
])
def test_wrong_arguments(arguments, words, folder):
    done = subprocess.run(
        [str(CTL), "list", *arguments, "--socket", f"unix:{folder}/none"],
        capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_nobody_listens(folder):
    done = subprocess.run(
        [str(CTL), "list", "show", "banned", "account=a", "--socket",
         f"{folder}/none"], capture_output=True, text=True, timeout=60,
        check=False)
    assert done.returncode == 2
    assert f'cannot connect to "{folder}/none"' in done.stderr
