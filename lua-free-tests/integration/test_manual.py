"""The man page, bash's completion and `make install`, against the program."""

import os
import re
import subprocess
import sys

import pytest

from harness.settings import CTL, PATIENCE, ROOT, SCHEMA

COMPLETION = ROOT / "conf" / "bash-completion" / "integrityctl"

# a line of COMP_WORDS per answer
ASK = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_integrityctl "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True,
                          text=True, timeout=120 * PATIENCE, check=False,
                          **more)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def subcommands():
    return re.findall(r"^  ([a-z]+) ", run(CTL, "--help"), re.M)


def options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


# -- the man page -------------------------------------------------------------

@pytest.fixture(scope="module")
def manual(tmp_path_factory):
    path = tmp_path_factory.mktemp("man") / "integrityctl.1"
    path.write_text(run(sys.executable, ROOT / "tools" / "make-man", CTL,
                        ROOT / "docs" / "integrityctl.1.in"))
    return path


def test_the_manual_is_sound(manual):
    assert run("mandoc", "-Tlint", "-Wwarning", manual) == ""
    assert "@" not in manual.read_text()


def test_the_manual_says_what_help_says(manual):
    """Word for word and in that order, every option among them."""
    text = re.sub(".\b", "", run("mandoc", "-Tascii", "-Owidth=500", manual))
    body = text.partition("\nCOMMANDS\n")[2].partition("\nFILES\n")[0]
    parts = re.split(r"^   (\w+)\n", body, flags=re.M)
    told = dict(zip(parts[1::2], parts[2::2]))
    assert set(told) == set(subcommands())
    synopsis = text.partition("\nSYNOPSIS\n")[2].partition("\n\n")[0]
    for name, part in told.items():
        usage, _, rest = run(CTL, name, "--help").partition("\n\n")
        assert re.sub(r"\s", "", part) == re.sub(r"\s", "", rest), name
        for line in usage.splitlines():
            assert line.removeprefix("Usage: ").strip() in synopsis, name


# -- completion ---------------------------------------------------------------

def complete(*words, cwd=None):
    """What bash offers for the last of the words."""
    return run("bash", "-c", ASK, "bash", COMPLETION, CTL, *words,
               cwd=cwd).split()


def test_subcommands_are_offered():
    assert set(complete("")) == {*subcommands(), "--help", "--version"}
    assert complete("verif") == ["verify"]


def test_the_options_offered_are_those_of_help():
    for name in subcommands():
        said = run(CTL, name, "--help").partition("\n\n")
        assert set(complete(name, "--")) == {
            *options(said[0] + said[2]), "--help"}, name


def test_verbs_are_offered():
    assert complete("list", "") == ["add", "remove", "show"]
    assert set(complete("keys", "")) >= {"new", "rotate", "verdict"}
    assert complete("key", "r") == ["reset"]


def test_files_are_offered(tmp_path):
    for name in ("audit.log", "audit.log.1", "nginx.conf"):
        (tmp_path / name).touch()
    here = sorted(os.listdir(tmp_path))
    assert sorted(complete("verify", "", cwd=tmp_path)) == here
    assert complete("verify", "--json", "nginx", cwd=tmp_path) \
        == ["nginx.conf"]
    assert complete("backtest", "-c", "ng", cwd=tmp_path) == ["nginx.conf"]
    assert complete("log", "--secret", "ng", cwd=tmp_path) == ["nginx.conf"]
    # where = is a break between words
    assert complete("log", "--secret", "=", "ng", cwd=tmp_path) \
        == ["nginx.conf"]
    assert sorted(complete("log", "--secret", "=", cwd=tmp_path)) == here
    # an account is no file
    assert complete("log", "--field", "", cwd=tmp_path) == []


def test_values_are_offered():
    assert complete("log", "--decision", "th") == ["throttle", "throttle+"]
    assert set(complete("log", "--kind", "")) == {
        path.stem for path in SCHEMA.glob("*.json")}
    assert complete("log", "--since", "y") == ["yesterday"]
    assert complete("report", "--period", "") == ["day", "week"]
    # as the usage line has them
    assert complete("export", "--format", "") == ["ocsf", "csv"]
    assert complete("list", "add", "b", "--socket", "") == ["unix:"]
    # where : is a break between words
    for words in (("--socket", "unix", ":", "/us"),
                  ("--socket", "=", "unix", ":", "/us")):
        assert complete("list", "add", "b", *words) == ["/usr"]


# -- installing ---------------------------------------------------------------

def make(*words):
    env = {key: value for key, value in os.environ.items()
           if not key.startswith("MAKE") and key != "MFLAGS"}
    return run("make", "-C", ROOT, *words, env=env)


def test_install_and_uninstall(tmp_path):
    root = tmp_path / "a root"
    make("install", f"DESTDIR={root}")
    share = root / "usr" / "share"
    for path, of in (("usr/bin/integrityctl", "build/integrityctl"),
                     ("usr/lib/nginx/modules/ngx_http_integrity_module.so",
                      "build/ngx_http_integrity_module.so"),
                     ("usr/share/man/man1/integrityctl.1",
                      "build/integrityctl.1")):
        assert (root / path).read_bytes() == (ROOT / of).read_bytes()
    # every file of conf/ and docs/ is somewhere
    there = {path.read_bytes() for path in root.rglob("*") if path.is_file()}
    for folder in ("conf", "docs"):
        for path in (ROOT / folder).rglob("*"):
            assert path.is_dir() or path.suffix in (".in",) \
                or path.read_bytes() in there, path
    # and what is there works: the module is one that nginx loads
    assert run(root / "usr/bin/integrityctl", "--version")
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f'load_module "{root}/usr/lib/nginx/modules/'
        'ngx_http_integrity_module.so";\n'
        f"pid {tmp_path}/pid; error_log stderr;\nevents {{ }}\n"
        f'http {{ access_log off; integrity_zone integrity:4m; }}\n')
    # Debian's: the module that is installed is always the plain build
    done = subprocess.run(["/usr/sbin/nginx", "-t", "-q", "-e", "stderr", "-c", conf],
                          capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr
    for pack in (ROOT / "conf" / "rules").glob("*.conf"):
        assert (share / "nginx-integrity" / "rules" / pack.name).exists()

    (root / "usr" / "bin" / "other").touch()
    make("uninstall", f"DESTDIR={root}")
    assert [path.name for path in root.rglob("*") if path.is_file()] \
        == ["other"]


def test_another_prefix(tmp_path):
    said = make("install", f"DESTDIR={tmp_path}", "PREFIX=/opt/integrity")
    assert (tmp_path / "opt/integrity/bin/integrityctl").exists()
    assert "load_module /opt/integrity/lib/nginx/modules/" in said
    assert os.listdir(tmp_path) == ["opt"]


