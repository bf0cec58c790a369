"""What load's own operations must withstand: the same batch twice at once, a
cursor that nobody could read back, times to come, a store that hangs."""

import base64
import json
import socket
import threading
import time

import pytest

from load_place import SERVER, load, write

HTTP = """
    integrity_zone    integrity:1m;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    include %%POLICY%%;
"""

POLICY = """
    integrity_field    account  json:/account;
    integrity_counter  plain    on=review  key=account  window=30d;
    integrity_list     banned   key=account;
    integrity_rule     many     "plain > 1000"  then=deny add=banned:90d;
"""


class Relay:
    """Hands questions on to nginx and keeps them."""

    def __init__(self, target, path):
        self.target, self.path, self.bodies = target, path, []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client = self._socket.accept()[0]
            except OSError:
                return
            with client:
                self.bodies.append(read_request(client))
                client.sendall(ask(self.target, self.bodies[-1])[0])

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def read_request(client):
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, body = data.split(b"\r\n\r\n", 1)
    (length,) = [int(line.split(b":")[1]) for line in head.split(b"\r\n")
                 if line.lower().startswith(b"content-length")]
    while len(body) < length:
        body += client.recv(65536)
    return json.loads(body)


def begin(target, body):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect(str(target))
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    client.sendall(b"POST /integrity/control HTTP/1.1\r\nHost: a\r\n"
                   b"Connection: close\r\nContent-Type: application/json\r\n"
                   b"Content-Length: %d\r\n\r\n" % len(text) + text)
    return client


def finish(client):
    data = b""
    with client:
        while more := client.recv(65536):
            data += more
    return data, int(data.split()[1])


def ask(target, body):
    return finish(begin(target, body))


@pytest.fixture
def asked(nginx, app, folder, redis):
    """(server, the Redis or None, what load asked) of a load of 5 calls."""
    relays = []

    def make(store):
        server_redis = redis() if store == "redis" else None
        (folder / "policy.conf").write_text(POLICY)
        server = nginx(
            http=HTTP + (f"integrity_redis {server_redis} timeout=5s;"
                         if server_redis else ""),
            server=SERVER, APP=app, POLICY=folder / "policy.conf")
        relay = Relay(server.dir / "control.sock", folder / "relay.sock")
        relays.append(relay)
        events = write(folder / "events.jsonl", [
            {"action": "review", "time": time.time() - 3600 + number,
             "account": "ann"} for number in range(5)])
        load(server, events, sock=relay.path)
        return server, server_redis, {body["op"]: body
                                      for body in relay.bodies}

    yield make
    for relay in relays:
        relay.close()


def plain(server):
    body = {"op": "inspect", "counter": "plain", "key": {"account": "ann"},
            "reason": "a look", "by": "ada"}
    answer, status = ask(server.dir / "control.sock", body)
    assert status == 200, answer
    entry = json.loads(answer.split(b"\r\n\r\n", 1)[1])["counter"]["plain"]
    return entry["bucket"] + entry["bucket_before"]


def test_a_batch_sent_twice_at_once_counts_once(asked):
    """One connection watches for one load: the EXEC of the first ended the
    watch that guarded the second, which then counted a second time."""
    server, store, said = asked("redis")
    control = server.dir / "control.sock"
    assert plain(server) == 5
    assert ask(control, said["load_begin"])[1] == 200

    store.freeze()
    twins = [begin(control, said["load_write"]) for _ in range(2)]
    time.sleep(.3)      # both are in front of the store
    store.thaw()
    assert sorted(finish(twin)[1] for twin in twins) == [200, 409]
    assert plain(server) == 10
    assert ask(control, said["load_end"])[1] == 200


def test_a_check_that_was_given_up_does_not_spoil_a_later_load(asked):
    """Its watch stayed on the connection, and failed the next transaction."""
    server, store, said = asked("redis")
    control = server.dir / "control.sock"
    # no load is under way: checked, watched, refused
    assert ask(control, said["load_write"])[1] == 409
    assert ask(control, said["load_begin"])[1] == 200
    # elsewhere, in the meantime
    client = store.client()
    client.set("ig:1:load", client.get("ig:1:load"))
    assert ask(control, said["load_write"])[1] == 200
    assert ask(control, said["load_end"])[1] == 200


@pytest.mark.parametrize("store", ["embedded", "redis"])
def test_no_cursor_that_cannot_be_read(asked, store):
    """`of` 0 or below `seq` was kept, and no load could look any more."""
    server, _, said = asked(store)
    control = server.dir / "control.sock"
    for change in ({"of": 0}, {"of": -1}, {"of": 1.5}, {"of": 1e300},
                   {"of": "1"}, {"of": None}):
        assert ask(control, {**said["load_begin"], **change})[1] == 400
    assert ask(control, said["load_begin"])[1] == 200
    for change in ({"seq": 0}, {"seq": 2}, {"of": 0}, {"seq": -1},
                   {"data": ""}, {"data": "A"}, {"data": "AAAA"},
                   {"data": said["load_write"]["data"][:-4]},
                   {"data": said["load_write"]["data"] * 2 + "_"},
                   {"id": "0" * 15}, {"id": "G" * 16}, {"at": -1}):
        answer, status = ask(control, {**said["load_write"], **change})
        assert status == 400, (change, answer)
    assert ask(control, said["load_look"])[1] == 200
    assert ask(control, said["load_write"])[1] == 200
    assert plain(server) == 10


@pytest.mark.parametrize("store", ["embedded", "redis"])
def test_nothing_is_loaded_from_the_future(asked, store):
    """Its bucket would stand before all that live calls write."""
    server, _, said = asked(store)
    control = server.dir / "control.sock"
    assert ask(control, said["load_begin"])[1] == 200
    text = said["load_write"]["data"]
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert len(raw) == 33, len(raw)
    for at in (int((time.time() + 86400) * 1000), 253402300800000, -1,
               2**53, 2**63 - 1):
        raw[17:25] = (at % 2**64).to_bytes(8, "big")
        data = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        answer, status = ask(control, {**said["load_write"], "data": data})
        assert status == 400, (at, answer)
    assert plain(server) == 5
    end = {**said["load_end"], "since": "253402300800000,9e9,-1"}
    assert ask(control, said["load_write"])[1] == 200
    assert ask(control, end)[1] == 200
    assert plain(server) == 10


def test_a_worker_ends_while_a_load_waits_for_a_store_that_hangs(asked):
    """Without a timer it ended, and left the connection without an answer."""
    server, store, said = asked("redis")
    control = server.dir / "control.sock"
    store.freeze()
    client = begin(control, said["load_look"])
    time.sleep(.2)
    server.reload(wait_old=True, timeout=20)
    assert finish(client)[1] == 503
    store.thaw()
