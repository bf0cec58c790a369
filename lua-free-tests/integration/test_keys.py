"""`integrityctl keys` rotate, show and destroy; what a rotation keeps."""

import base64
import fcntl
import gzip
import json
import os
import re
import resource
import signal
import stat
import subprocess

import pytest

from harness.both_stores import nginx  # noqa: F401  (a fixture)
from harness.settings import CTL

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(32, 64))).decode()


def keys(*arguments, **options):
    done = subprocess.run([CTL, "keys", *map(str, arguments)], timeout=60,
                          capture_output=True, text=True, check=False,
                          **options)
    for text in (done.stdout, done.stderr):
        assert KEY not in text and OTHER not in text
    return done.returncode, done.stdout, done.stderr


def secret(path):
    """[(id, base64, mark)] of the file's keys."""
    return [tuple((line + ":").split(":")[:3])
            for line in path.read_text().splitlines()
            if line.strip() and not line.startswith("#")]


@pytest.fixture
def path(folder):
    file = folder / "integrity.key"
    file.write_text(f"# ours\nk1:{KEY}\n")
    file.chmod(0o640)
    return file


def test_a_rotation_puts_a_key_first(path):
    os.chown(path, 65534, 65534)
    path.chmod(0o640)
    code, out, err = keys("rotate", path)
    assert (code, err) == (0, "")
    assert "k2 is the current key" in out and "reload nginx" in out
    assert "stay with k1" in out
    (new, old) = secret(path)
    assert new[0] == "k2" and len(base64.b64decode(new[1])) == 32
    assert old == ("k1", KEY, "") and new[1] != KEY
    assert path.read_text().startswith("# ours\n")
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (65534, 65534)
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert os.listdir(path.parent) == [path.name]
    assert new[1] not in out

    code, out, _ = keys("rotate", path, "--json", "--id", "spring")
    assert (code, json.loads(out)) == (0, {
        "id": "spring", "before": "k2", "store": "k1", "reload": True})
    assert [key[0] for key in secret(path)] == ["spring", "k2", "k1"]


def test_the_store_goes_to_a_new_key_on_demand_alone(path):
    path.write_text(f"a:{KEY}:store\nb:{OTHER}\n")
    assert keys("rotate", path)[0] == 0
    assert [key[::2] for key in secret(path)] == [
        ("k1", ""), ("a", "store"), ("b", "")]
    code, out, _ = keys("rotate", "--store", path)
    assert code == 0 and "begin anew" in out
    assert [key[::2] for key in secret(path)] == [
        ("k2", "store"), ("k1", ""), ("a", ""), ("b", "")]
    assert secret(path)[2:] == [("a", KEY, ""), ("b", OTHER, "")]


def test_a_link_stays_a_link(path, folder):
    link = folder / "link.key"
    link.symlink_to(path.name)
    assert keys("rotate", link)[0] == 0
    assert link.is_symlink() and len(secret(path)) == 2


def test_a_file_that_cannot_be_written_stays(path):
    """The kernel refuses bytes beyond the limit, as a full disk does."""
    before = path.read_bytes()

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))

    code, _, err = keys("rotate", path, preexec_fn=limit)
    assert code == 2 and "it is as it was" in err
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_one_at_a_time(path):
    with open(path, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, _, err = keys("rotate", path)
    assert code == 2 and "is being changed by somebody else" in err
    assert secret(path) == [("k1", KEY, "")]


def test_what_is_refused(path, folder):
    for arguments, code, words in (
            (("rotate",), 2, '"rotate" takes FILE'),
            (("rotate", path, "b"), 2, '"rotate" takes FILE'),
            (("rotate", path, "--yes"), 2, 'no option "--yes"'),
            (("rotate", path, "--json=1"), 2, '"--json" has no value'),
            (("rotate", path, "--id"), 2, '"--id" needs a value'),
            (("rotate", path, "--id", "a:b"), 2, '"a:b" is no id'),
            (("rotate", path, "--id=k1"), 1, "has a key called k1"),
            (("rotate", folder / "none"), 2, "cannot open"),
            (("rotate", folder), 2, "is no regular file"),
            (("show", path, "x"), 2, '"x" is one argument too many'),
            (("show", "--log", "x", path), 2, "FILE comes before --log"),
            (("show", path, "--log", folder / "none"), 2, "cannot open"),
            (("destroy", path), 2, '"destroy" takes FILE and ID'),
            (("destroy", path, "k9"), 1, 'no key called "k9"'),
            (("destroy", path, "k1", "--yes"), 1, "is the current key")):
        got, out, err = keys(*arguments)
        assert (got, out) == (code, ""), arguments
        assert words in err
    assert secret(path) == [("k1", KEY, "")]

    path.write_text("".join(f"a{n}:{KEY}\n" for n in range(16)))
    code, _, err = keys("rotate", path)
    assert code == 1 and "16 keys, as many as it can" in err
    path.write_text("nonsense\n")
    for part in ("rotate", "show", "verdict"):
        code, _, err = keys(part, path)
        assert code == 1 and "line 1: expected id:base64" in err


def test_a_key_is_destroyed(path):
    path.write_text(f"k3:{OTHER}\nk2:{KEY}\nk1:{OTHER}\n")
    before = path.read_bytes()
    code, out, _ = keys("destroy", path, "k2")
    assert code == 1 and "add --yes" in out and "p:k2:" in out
    assert path.read_bytes() == before

    code, _, err = keys("destroy", path, "k1", "--yes")
    assert code == 1 and "makes the store's names" in err
    assert path.read_bytes() == before

    with open(path, "rb") as old:
        code, out, _ = keys("destroy", path, "k2", "--yes")
        assert code == 0 and "k2 is no more in" in out
        # nor in the blocks the file had
        assert set(old.read()) == {0}
    assert [key[0] for key in secret(path)] == ["k3", "k1"]
    assert KEY not in path.read_text()

    # its name is never given again, whoever asks
    code, _, err = keys("rotate", path, "--id", "k2")
    assert code == 1 and "had a key called k2" in err
    path.write_text(path.read_text().replace("k3:", "x:"))
    assert json.loads(keys("rotate", path, "--json")[1])["id"] == "k3"


def line(time, *ids):
    fields = ",".join(f'"f{n}":"p:{name}:{"A" * 22}"'
                      for n, name in enumerate(ids))
    return (f'{{"v":1,"kind":"decision","time":"2026-11-{time}Z",'
            f'"field":{{{fields}}}}}\n')


def test_which_keys_a_log_needs(path, folder):
    path.write_text(f"k4:{OTHER}\nk3:{KEY}\nk1:{KEY}\n"
                    "# k2 destroyed 2026-10-01T00:00:00.000Z\n"
                    "# keys destroyed by a person are none\n")
    log, old = folder / "audit.log", folder / "audit.log.1.gz"
    log.write_text(line("22T10:00:00.000", "k4", "k4", "k3")
                   + line("21T10:00:00.000", "k4") + "torn {\n"
                   + line("22T11:00:00.000").replace(
                       '{}', '{"r":"so \\"p:x:' + "A" * 22 + '"}'))
    with gzip.open(old, "wt") as file:
        file.write(line("01T10:00:00.000", "k2", "gone")
                   + line("02T10:00:00.000", "k2"))
    code, out, err = keys("show", path, "--json", "--log", old, log)
    assert (code, err) == (0, "")
    stamp = "2026-11-{}T10:00:00.000Z".format
    assert json.loads(out) == {
        "keys": [
            {"id": "k4", "lines": 2, "first": stamp("21"),
             "last": stamp("22"), "current": True, "store": False},
            {"id": "k3", "lines": 1, "first": stamp("22"),
             "last": stamp("22"), "current": False, "store": False},
            {"id": "k1", "lines": 0, "current": False, "store": True}],
        "gone": [
            {"id": "k2", "lines": 2, "first": stamp("01"),
             "last": stamp("02"), "destroyed": "2026-10-01T00:00:00.000Z"},
            {"id": "gone", "lines": 1, "first": stamp("01"),
             "last": stamp("01"), "destroyed": None}],
        "log": {"lines": 5, "other": 1}}

    code, out, _ = keys("show", path, f"--log={log}")
    assert code == 0
    assert re.search(r"^k4  current: .*\n    in 2 lines, ", out, re.M)
    assert re.search(r"^k1  older: .*store's names\n    not in", out, re.M)
    assert "k2  destroyed 2026-10-01T00:00:00.000Z: its past cannot" in out

    assert json.loads(keys("show", path, "--json")[1]) == {
        "keys": [{"id": "k4", "current": True, "store": False},
                 {"id": "k3", "current": False, "store": False},
                 {"id": "k1", "current": False, "store": True}],
        "gone": [{"id": "k2", "destroyed": "2026-10-01T00:00:00.000Z"}]}

    old.write_bytes(old.read_bytes()[:40])
    code, _, err = keys("show", path, "--log", old)
    assert code == 2 and "within compressed data" in err


HTTP = """
    integrity_zone    integrity:4m;
    integrity_secret  %%SECRET%%;
    integrity_audit   %%AUDIT%%;
    integrity_field   account $http_x_account private;
    integrity_counter calls on=review.create key=account window=1h;
    integrity_rule    many "calls > 100" then=deny;
"""


def test_a_rotation_forgets_no_counter(nginx, app):  # noqa: F811
    server = nginx(http=HTTP, APP=app, server="""
        location / { integrity on; integrity_action review.create;
                     proxy_pass http://%%APP%%; }""")

    def call(count):
        server.post("/", headers={"X-Account": "ann"})
        event = server.wait_audit(count)[-1]
        return event["counter"]["calls"], event["field"]["account"][:5]

    assert call(1) == (1, "p:k1:")
    assert keys("rotate", server.secret_path)[0] == 0
    server.reload()
    assert call(2) == (2, "p:k2:")
    assert keys("rotate", server.secret_path)[0] == 0
    assert keys("destroy", server.secret_path, "k2", "--yes")[0] == 0
    server.reload()
    assert call(3) == (3, "p:k3:")
    shown = json.loads(keys("show", server.secret_path, "--json", "--log",
                            server.audit_path)[1])
    assert [(key["id"], key["lines"]) for key in shown["keys"]] == [
        ("k3", 1), ("k1", 1)]
    assert [(key["id"], key["lines"]) for key in shown["gone"]] == [("k2", 1)]
