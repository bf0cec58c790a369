"""`integrityctl` itself, and `integrityctl keys`."""

import base64
import hashlib
import hmac
import os
import stat
import subprocess

from harness.settings import CTL


def run(*arguments):
    done = subprocess.run([CTL, *map(str, arguments)], capture_output=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_help_and_version():
    code, out, err = run("--help")
    assert code == 0 and err == ""
    for name in ("check", "verify", "dossier", "report", "list", "load",
                 "keys"):
        assert f"\n  {name} " in out
        code, detail, err = run(name, "--help")
        assert code == 0 and err == ""
        assert detail.startswith(f"Usage: integrityctl {name} ")
        assert "\n\nExit " in detail or "\nExit codes" in detail
        assert max(map(len, detail.splitlines())) <= 80
    code, out, err = run("--version")
    assert code == 0 and err == ""
    assert out.split()[0] == "integrityctl" and out.count(".") == 2


def test_no_or_an_unknown_subcommand():
    code, out, err = run()
    assert (code, out) == (2, "") and "Usage: integrityctl" in err
    code, out, err = run("verfy", "audit.log")
    assert (code, out) == (2, "")
    assert 'unknown subcommand "verfy"' in err and "\n  verify " in err


def test_output_that_cannot_be_written():
    with open("/dev/full", "w", encoding="ascii") as full:
        for arguments in (["--help"], ["--version"], ["log", "--help"],
                          ["verify", "/dev/null"]):
            done = subprocess.run([CTL, *arguments], stdout=full, check=False,
                                  stderr=subprocess.PIPE, timeout=60)
            assert done.returncode == 2
            assert b"cannot write to standard output" in done.stderr


def test_a_closed_output_is_not_the_next_file(folder):
    """open() takes the lowest free number. Started with its output closed,
    `seal --json` opened the checkpoints as number 1 and wrote each twice."""
    assert run("keys", "seal", folder / "seal.key")[0] == 0
    log, checkpoints = folder / "audit.log", folder / "checkpoints"
    log.write_bytes(b"")
    seal = [CTL, "seal", "--once", "--json", "--key", folder / "seal.key",
            "--checkpoints", checkpoints, log]
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *seal], check=False,
                          stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 2
    assert b"cannot write to standard output" in done.stderr
    written = checkpoints.read_bytes().splitlines()
    assert written and len(written) == len(set(written))


def test_a_new_secret(folder):
    path = folder / "integrity.key"
    old = os.umask(0)
    try:
        code, out, err = run("keys", "new", path)
    finally:
        os.umask(old)
    assert (code, out, err) == (0, "", "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    name, key = path.read_text("ascii").removesuffix("\n").split(":")
    assert name == "k1"
    assert len(base64.b64decode(key, validate=True)) == 32

    again = folder / "other.key"
    assert run("keys", "new", again)[0] == 0
    assert again.read_bytes() != path.read_bytes()


def test_an_existing_secret_is_kept(folder):
    path = folder / "integrity.key"
    path.write_text("precious")
    code, _, err = run("keys", "new", path)
    assert code == 2
    assert f'"{path}" exists; it is not overwritten' in err
    assert path.read_text() == "precious"

    link = folder / "link.key"
    link.symlink_to(folder / "elsewhere.key")
    assert run("keys", "new", link)[0] == 2
    assert not (folder / "elsewhere.key").exists()


def test_a_secret_where_none_can_be(folder):
    code, _, err = run("keys", "new", folder / "nowhere" / "x.key")
    assert code == 2 and "cannot create" in err
    code, _, err = run("keys", "verdict", folder / "missing.key")
    assert code == 2 and "cannot open" in err


def hkdf(secret, info):
    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def test_verdict_keys_are_derived_ones(folder):
    path = folder / "integrity.key"
    first, second = bytes(range(32)), bytes(range(7, 60))
    path.write_text(f"new:{base64.b64encode(first).decode()}\n"
                    f"old:{base64.b64encode(second).decode()}:store\n")
    code, out, err = run("keys", "verdict", path)
    assert (code, err) == (0, "")
    expected = [(name, hkdf(key, b"nginx-integrity/verdict"))
                for name, key in (("new", first), ("old", second))]
    assert [(line.split(":")[0], base64.b64decode(line.split(":")[1]))
            for line in out.splitlines()] == expected


def test_no_key_is_ever_said(folder):
    path = folder / "integrity.key"
    key = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    for text, words in ((f"k1:{key}\nk1:{key}\n", "line 2: this id stands"),
                        (f"k1:{key[:-2]}\n", "line 1: the key is not base64"),
                        ("", "there is no key in it")):
        path.write_text(text)
        code, out, err = run("keys", "verdict", path)
        assert (code, out) == (1, "")
        assert words in err
        assert key[:8] not in err


def test_keys_usage():
    for arguments in ((), ("new",), ("new", "a", "b"), ("old", "a")):
        code, out, err = run("keys", *arguments)
        assert (code, out) == (2, "")
        assert "Usage: integrityctl keys new|rotate|show|destroy|verdict" in err
