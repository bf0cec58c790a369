"""The demo, as a newcomer runs it, and the configurations that are shown."""

import hashlib
import json
import os
import pty
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

import pytest

from harness import oracles, settings, template
from harness.processes import children
from harness.settings import PATIENCE, ROOT, wait_until

DEMO = ROOT / "demo" / "demo.py"
PYTHON = "/usr/bin/python3"

sys.path.insert(0, str(ROOT / "demo"))

import application  # noqa: E402
import demo  # noqa: E402
import market  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402


def environment(folder):
    """The demo's own, with everything it makes in the test's folder."""
    return {**os.environ, **settings.SANITIZER_ENVIRONMENT,
            "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1",
            "IG_NGINX": str(settings.NGINX), "IG_MODULE": str(settings.MODULE),
            "IG_CTL": str(settings.CTL), "IG_REDIS": str(settings.REDIS)}


def run_demo(folder, *words, **changes):
    return subprocess.run(
        [PYTHON, DEMO, *words], cwd=folder, capture_output=True, text=True,
        timeout=60 * PATIENCE, check=False,
        env={**environment(folder), **changes.pop("env", {})}, **changes)


class Running:
    """A demo under way; interrupt() is Ctrl-C."""

    def __init__(self, folder, *words):
        self.folder = folder
        self.output = folder / "output"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [PYTHON, "-u", DEMO, *words], cwd=folder, stdout=output,
                stderr=output, stdin=subprocess.DEVNULL,
                start_new_session=True, env=environment(folder))

    def said(self, pattern):
        wait_until(lambda: self.process.poll() is not None
                   or re.search(pattern, self.output.read_text()), 30, pattern)
        return re.search(pattern, self.output.read_text())

    def interrupt(self, number=signal.SIGINT):
        os.kill(self.process.pid, number)
        return self.process.wait(30 * PATIENCE)


def left_behind(folder):
    """Folders and processes of demos in this folder."""
    found = [str(path) for path in folder.glob("nginx-integrity-demo.*")]
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read()
        except OSError:
            continue
        if str(folder).encode() + b"/nginx-integrity-demo." in words:
            found.append(f"process {name}")
    return found


def nothing_left(folder):
    """A worker born in the moment its master is ended goes a moment later."""
    wait_until(lambda: left_behind(folder) == [], 10,
               f"the end of {left_behind(folder)}")


def rows(text):
    """{group: (calls, allow, hold, throttle, deny, kept back, reviews)}"""
    return {match.group(1): tuple(int(number) for number in match.groups()[1:])
            for match in re.finditer(
                r"^(\w[\w -]*?) {2,}(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)"
                r" of (\d+)$", text, re.M)}


def test_the_demo(folder):
    done = run_demo(folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert left_behind(folder) == []
    table = rows(done.stdout)
    assert list(table) == market.GROUPS
    for calls, *decided, back, reviews in table.values():
        assert sum(decided) == calls
        assert 0 <= back <= reviews <= calls
    calls, allow, *_ = table[market.HONEST]
    assert calls > 200 and allow >= report.HONEST_ALLOWED * calls
    assert table[market.HAMMER][3] and table[market.HAMMER][4]
    assert table[market.FARM][2] and table[market.RING][2]
    assert re.search(r"^reviewer_past +\d+ +\d+ .* over$", done.stdout, re.M)
    for group, rules in (
            (market.HONEST, ["none"]),
            (market.HAMMER, ["review_spree", "insistent", "banned_account"]),
            (market.FARM, ["device_farm", "copy_paste", "farm_device",
                           "praise_wave", "shield_stranger"]),
            (market.RING, ["self_order", "self_review", "order_brushing"])):
        said = re.search(rf"^{group}\n  held or refused by +((?:.+\n +)*.+)$",
                         done.stdout, re.M).group(1).split("  fired")[0]
        assert [name for name in rules if name not in said] == []
    assert re.search("by rule repeat_offender\n.*by demo", done.stdout)
    assert '"op":"add","list":"banned","listed":true' in done.stdout
    assert f"{demo.BANNED} logs in once more: 403\n" in done.stdout
    for word in ("HOLD", "THROTTLE", "ALLOW"):
        shown = re.search(rf"^{word}\n.+?\n\n(\{{.*?^\}})", done.stdout,
                          re.M | re.S)
        assert json.loads(shown.group(1))["decision"] == word.lower()
    assert re.search(r"verify integrity-audit.log\n\n.*: clean\n",
                     done.stdout, re.S)
    for step in ("make run", "README.md", "docs/reference.md"):
        assert step in done.stdout
    assert "\033" not in done.stdout


def test_a_user_without_rights(folder):
    """nginx as somebody else than root; skipped where only root can read."""
    if os.geteuid() != 0:
        pytest.skip("the other tests are this one")
    folder.chmod(0o777)
    readable = subprocess.run(["test", "-r", DEMO], user=65534, group=65534,
                              extra_groups=[], check=False).returncode == 0
    if not readable:
        pytest.skip("the checkout is not readable for others")
    done = run_demo(folder, user=65534, group=65534, extra_groups=[])
    assert (done.returncode, done.stderr) == (0, "")
    assert left_behind(folder) == []


@pytest.mark.parametrize("rules, group", [
    ("review_spree,harsh_newcomer,no_purchase", market.HAMMER),
    ("device_farm,farm_device,copy_paste,praise_wave,shield_stranger,"
     "shield_device,first_review", market.FARM),
    ("self_review,watched_account", market.RING)],
    ids=["hammer", "farm", "ring"])
def test_a_scheme_that_gets_through_is_told(folder, rules, group):
    """Without its rules the scheme is not caught, and the demo says so."""
    conf = (ROOT / "conf" / "demo.conf").read_text()
    conf, found = re.subn(r"^    integrity +on;", f"    integrity on "
                          f"except={rules};", conf, flags=re.M)
    assert found == 1
    (folder / "mine.conf").write_text(conf)
    done = run_demo(folder, "--conf", folder / "mine.conf")
    assert done.returncode == 1
    assert f"demo: {group}: of " in done.stderr
    assert left_behind(folder) == []


@pytest.mark.parametrize("old, new, sentence", [
    ("integrity_threshold", "integrity_limit", "unknown directive"),
    ("127.0.0.1:9000;", "127.0.0.1:9001;", "no line with 127.0.0.1:9000"),
    ("integrity_field  device ", "integrity_field  gadget ",
     'which is no field in'),
])
def test_a_mistake_in_the_configuration(folder, old, new, sentence):
    conf = (ROOT / "conf" / "demo.conf").read_text()
    assert old in conf
    (folder / "mine.conf").write_text(conf.replace(old, new))
    done = run_demo(folder, "--conf", folder / "mine.conf")
    assert done.returncode == 1
    assert sentence in done.stderr and "Traceback" not in done.stderr
    assert left_behind(folder) == []


def test_without_a_build(folder):
    done = run_demo(folder, env={"IG_MODULE": str(folder / "none.so")})
    assert done.returncode == 1
    assert done.stderr.endswith("none.so is missing: make build\n")
    assert left_behind(folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(folder, number):
    """In the middle: as soon as its nginx is there."""
    running = Running(folder)
    wait_until(lambda: running.process.poll() is not None
               or len(children(running.process.pid)) == 2, 30, "its servers")
    assert running.interrupt(number) == 130
    assert "Traceback" not in running.output.read_text()
    nothing_left(folder)


def test_killed(folder):
    """Nobody can clean up then, but its servers end with it."""
    running = Running(folder, "--run")
    assert running.said("In another terminal")
    running.interrupt(signal.SIGKILL)
    wait_until(lambda: not any(found.startswith("process") for found
                               in left_behind(folder)), 10, "the servers' end")


def test_run(folder):
    """Its servers stay until Ctrl-C, and what it tells to type works."""
    if not shutil.which("curl"):
        pytest.skip("no curl")
    running = Running(folder, "--run")
    commands = running.said(r"In another terminal:\n((?:.*\n)*)").group(1)
    done = subprocess.run(["bash", "-euc", commands], capture_output=True,
                          text=True, timeout=60 * PATIENCE, check=True)
    assert '"review": "published"' in done.stdout
    assert re.search(r"^(20[12] )+(429 )+(403 )+$", done.stdout, re.M)
    assert re.findall(r'"list":"banned","listed":(\w+)', done.stdout) \
        == ["true", "false"]
    assert "clean" in done.stdout
    for page in re.findall(r"http://\S+/integrity/status\S*",
                           running.output.read_text()):
        said = subprocess.run(["curl", "-fs", page], capture_output=True,
                              text=True, timeout=30, check=True).stdout
        assert "review.create" in said
    (audit,) = folder.glob("*/logs/integrity-audit.log")
    assert oracles.schema_problems(audit.read_bytes()) == []
    assert running.interrupt() == 0
    assert left_behind(folder) == []


def test_colours_are_for_terminals(folder):
    master, slave = pty.openpty()
    process = subprocess.Popen([PYTHON, DEMO], stdout=slave, stderr=slave,
                               stdin=slave, cwd=folder, close_fds=True,
                               env=environment(folder))
    os.close(slave)
    said = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:         # the other end is closed
            break
        said += piece
        if not piece:
            break
    os.close(master)
    assert process.wait(60) == 0
    assert b"\033[1m" in said


# Parts of it

KEY = b"k" * 32


def verdict(text):
    return f"{text};sig={application.Verdict._sign(KEY, text)}"


def told(method="POST", age=0):
    return (f"hold;action=review.create;method={method};score=60;id=01ABC;"
            f"t={int(time.time()) - age}")


def test_a_verdict():
    found = application.Verdict(verdict(told()), [b"old" * 11, KEY], "POST")
    assert (found.decision, found.action, found.event) \
        == ("hold", "review.create", "01ABC")


@pytest.mark.parametrize("text", [
    lambda: "", lambda: "hold", told,
    lambda: told() + ";sig=AAAAAAAAAAAAAAAAAAAAAA",
    lambda: verdict(told()).replace("hold", "allow"),
    lambda: verdict(told("PUT")), lambda: verdict(told(age=600)),
], ids=["none", "cut", "unsigned", "forged", "changed", "other", "old"])
def test_a_verdict_that_is_none(text):
    with pytest.raises(ValueError):
        application.Verdict(text(), [KEY], "POST")


def tally(*decisions):
    """A day of (group, what, decision)."""
    calls, lines = [], {}
    for number, (group, what, decision) in enumerate(decisions):
        calls.append(market.Call(group, what, 200, str(number)))
        if decision:
            lines[str(number)] = {"decision": decision, "rule": [],
                                  "evaluation": "complete"}
    return report.Tally(calls, lines)


CAUGHT = [(group, "review", decision) for group in market.GROUPS[1:]
          for decision in ("allow", "hold", "throttle", "deny")]
FINE = [(market.HONEST, "order", "allow")] * 100


def test_a_good_day():
    assert tally(*FINE, *CAUGHT).problems() == []


@pytest.mark.parametrize("day, problem", [
    ([*FINE[3:], *[(market.HONEST, "review", "hold")] * 3, *CAUGHT],
     "of 100 honest calls 97 were allowed"),
    ([*FINE, (market.HONEST, "review", "deny"), *CAUGHT],
     "of 101 honest calls 100 were allowed"),
    ([*FINE, *CAUGHT[:4], *CAUGHT[8:]],
     f"{market.FARM}: of 0 forged reviews 0 were kept back"),
    ([*FINE, *CAUGHT, *[(market.RING, "review", "allow")] * 2],
     f"{market.RING}: of 6 forged reviews 3 were kept back"),
    ([*FINE, *CAUGHT, (market.HONEST, "login", None)],
     "1 calls have no line in the audit log"),
])
def test_a_bad_day(day, problem):
    (found,) = tally(*day).problems()
    assert problem in found


# What is shown is right

def shown_configuration(text, folder):
    """A shown configuration with places of this machine in it."""
    template.write_secret(folder / "integrity.key")
    (folder / "redis.password").write_text("secret\n")
    (folder / "redis.password").chmod(stat.S_IRUSR)
    for there, here in (
            ("modules/ngx_http_integrity_module.so", settings.MODULE),
            ("/etc/nginx/", f"{folder}/"), ("/var/log/nginx/", f"{folder}/"),
            ("/run/nginx/", f"{folder}/"),
            (" rules/", f" {ROOT}/conf/rules/"),
            (" integrity.key", f" {folder}/integrity.key"),
            ("logs/", f"{folder}/")):
        text = text.replace(there, str(here))
    text = re.sub(r"^user .*\n", "", text, flags=re.M)
    text = text.replace("http {\n", "http {\n" + servers.temp_paths(
        settings.NGINX), 1)
    return text if "events {" in text else text + "events { }\n"


def for_inclusion(name, use=""):
    return ("load_module modules/ngx_http_integrity_module.so;\n"
            "pid nginx.pid;\nhttp {\n"
            + (ROOT / "conf" / name).read_text() + use + "}\n")


def first_snippet():
    readme = (ROOT / "README.md").read_text()
    return "pid nginx.pid;\n" + re.search(r"```nginx\n(.*?)```", readme,
                                          re.S).group(1)


@pytest.mark.parametrize("text", [
    lambda: (ROOT / "conf" / "demo.conf").read_text(),
    lambda: for_inclusion("nginx-integrity.conf"),
    lambda: for_inclusion("log-formats.conf", """
        integrity_zone integrity:1m;
        integrity_secret /etc/nginx/integrity.key;
        access_log /var/log/nginx/a.log integrity;
        access_log /var/log/nginx/b.log integrity_json;
        server { listen 127.0.0.1:8080; integrity_action a.b; integrity on; }
    """),
    first_snippet,
], ids=["demo.conf", "nginx-integrity.conf", "log-formats.conf", "README.md"])
def test_configurations(folder, text):
    path = folder / "nginx.conf"
    path.write_text(shown_configuration(text(), folder))
    done = subprocess.run(
        [settings.NGINX, "-p", folder, "-c", path, "-e", folder / "error.log",
         "-t"], capture_output=True, text=True, timeout=60, check=False,
        env=environment(folder))
    assert done.returncode == 0, done.stderr
    done = subprocess.run([settings.CTL, "check", path], capture_output=True,
                          text=True, timeout=60, check=False,
                          env=environment(folder))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_show_every_directive():
    code = (ROOT / "module/http/ngx_http_integrity_module.c").read_text()
    shown = (ROOT / "conf" / "nginx-integrity.conf").read_text()
    names = re.findall(r'\{ ngx_string\("(\w+)"\)', code)
    assert names
    assert [name for name in names
            if not re.search(rf"^\s*#? ?{name}[\s;]", shown, re.M)] == []


def test_the_line_of_the_readme():
    """What the README shows is what the demo wrote: its hash is its own."""
    readme = (ROOT / "README.md").read_text()
    line = json.loads(re.search(r"```\n(\{\n.*?\n\})\n```", readme,
                                re.S).group(1))
    whole = json.dumps(line, separators=(",", ":"), ensure_ascii=False)
    sealed = whole.partition(',"hash":')[0]
    assert hashlib.sha256(sealed.encode()).hexdigest() == line["hash"]
