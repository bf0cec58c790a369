#!/usr/bin/python3
"""nginx-integrity at work, on this machine alone, in a few seconds.

Starts a private Redis, nginx with conf/demo.conf and a stub application, lets
honest shoppers and three brushing schemes call, and shows what the rule packs
in conf/rules decided and what the audit log says of it. Leaves nothing behind.

  demo.py         the whole day; exit status 0 where it went as it should
  demo.py --run   the same servers, for your own calls, until Ctrl-C
  --conf FILE     another policy: a copy of conf/demo.conf that you changed
"""

import argparse
import signal
import sys
import textwrap
import time
from pathlib import Path

import history
import market
import report
from application import Application
from servers import CONF, CTL, MODULE, Servers, Trouble, change, listing, verify


def start(servers, application):
    """Everything that must run before the first call."""
    for path in (MODULE, CTL):
        if not path.exists():
            raise Trouble(f"{path} is missing: make build")
    keys = servers.make_keys()
    servers.start_redis()
    servers.start_nginx(application.port)
    application.start(keys)
    section(f"integrityctl load: {history.DAYS} days before today")
    print("\n".join(line for line in
                    servers.load(history.events(time.time())).splitlines()
                    if not line.endswith(" none")))


def section(title):
    print("\n" + report.paint(title, "bold") + "\n")


def show_day(servers, application):
    """Plays the day and prints it; returns what went wrong, as sentences."""
    day = market.Day(servers.port)
    market.play(day)
    ban = a_person_decides(servers, day)
    servers.quit_nginx()
    lines = report.decisions(servers.audit)
    tally = report.Tally(day.calls, lines)

    section(f"What was decided on {len(day.calls)} calls")
    print(tally.table())
    print("\nEvaluated: " + ", ".join(
        f"{count} {name}" for name, count in tally.evaluation.items())
        + ". Orders and logins are calls too.")
    if tally.evaluation["degraded"]:
        print("Degraded: Redis did not answer in time; this node's own counts "
              "did.")

    section("Which rules of conf/rules caught whom")
    print(tally.rules())

    section("A person decides: one of the farm's accounts is banned by hand")
    print(ban)

    section("Three lines of the audit log")
    for decision, sentence, line in report.three(tally, lines):
        print(report.paint(decision.upper(), decision))
        print(textwrap.fill(sentence, 79) + "\n")
        print(report.pretty(line) + "\n")

    section("integrityctl verify integrity-audit.log")
    status, said = verify(servers.audit)
    print(said)

    problems = tally.problems()
    if status != 0:
        problems.append(f"integrityctl verify exited with {status}")
    if application.refused_verdicts:
        problems.append("the application refused a verdict: "
                        + application.refused_verdicts[0])
    return problems


def a_person_decides(servers, day):
    """A ban by hand, and what the list then says; as it was typed."""
    add = ["add", "banned", f"account={BANNED}", "--for", "30d", "--reason",
           "one of a farm", "--by", "demo"]
    said = ["$ integrityctl list " + " ".join(
        f'"{word}"' if " " in word else word for word in add),
        change(servers.control, *add)]
    market.come_back(day, BANNED)
    said += [f"\n{BANNED} logs in once more: {day.calls[-1].status}\n",
             "$ integrityctl list show banned --log integrity-audit.log",
             listing(servers.audit, "banned")]
    return "\n".join(said)


def next_steps():
    section("How to go on")
    print("make run            the same servers, for your own calls\n"
          "conf/demo.conf      the policy that decided here\n"
          "conf/rules          its rules, with what each may hurt\n"
          "README.md           what it is for, and what it does not promise\n"
          "docs/audit-log.md   how to ask the log: who, what, why, is it whole\n"
          "docs/reference.md   every directive, variable and audit line")


BANNED = "fan-0"


CALLS = """\
# log in
TOKEN=$(curl -s {url}/v1/login -H 'Content-Type: application/json' \\
    -H 'X-Device-Id: my-phone' -d '{{"account":"me"}}' | cut -d '"' -f 4)

# a review: published, or waiting for a moderator; with its event id
curl -s {url}/v1/products/book-1/reviews -H "Authorization: Bearer $TOKEN" \\
    -H 'Content-Type: application/json' -H 'X-Device-Id: my-phone' \\
    -d '{{"merchant_id":"m-books","rating":5,"content":"A good one."}}'

# too many of them: 201 or 202 (held), then 429, then 403
for i in $(seq 50); do
    curl -s -o /dev/null -w '%{{http_code}} ' \\
        {url}/v1/products/book-2/reviews -H "Authorization: Bearer $TOKEN" \\
        -H 'Content-Type: application/json' -H 'X-Device-Id: my-phone' \\
        -d '{{"merchant_id":"m-books","rating":5,"content":"Again."}}'
done; echo

# until when that account is banned; and off the list again
{ctl} list show banned account=me --socket unix:{control}
{ctl} list remove banned account=me --reason "it was me" --by me \\
    --socket unix:{control}

# what happened; why was the last one denied; all about that account; is it whole?
{ctl} log -n 5 {audit}
{ctl} explain $({ctl} log --decision deny -n 1 {audit} \\
    | cut -d ' ' -f 2) {audit}
{ctl} dossier --secret {secret} account me {audit}
{ctl} verify {audit}
"""


def show_run(servers):
    section("Running until Ctrl-C")
    print(f"calls        {servers.url}/v1/\n"
          f"status       {servers.url}/integrity/status\n"
          f"metrics      {servers.url}/integrity/status?format=prometheus\n"
          f"audit log    {servers.audit}\n"
          f"error log    {servers.error_log}\n"
          f"nginx.conf   {servers.folder / 'nginx.conf'}\n")
    print("In another terminal:\n")
    print(CALLS.format(url=servers.url, audit=servers.audit, ctl=CTL,
                       control=servers.control,
                       secret=servers.folder / "integrity.key"), flush=True)
    while True:
        signal.pause()


def interrupted(number, frame):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--conf", type=Path, default=CONF)
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, interrupted)

    servers = application = None
    try:
        application = Application(market.CATALOGUE)
        servers = Servers(options.conf)
        start(servers, application)
        if options.run:
            show_run(servers)
        problems = show_day(servers, application)
        if not problems:
            next_steps()
    except (Trouble, OSError) as trouble:
        problems = [str(trouble)]
        if servers is not None:
            problems += servers.complaints()
    except KeyboardInterrupt:
        print()
        return 0 if options.run else 130
    finally:
        clean_up(servers, application)
    for problem in problems:
        print(f"demo: {problem}", file=sys.stderr)
    return 1 if problems else 0


def clean_up(servers, application):
    """Ends what was started; a second Ctrl-C does not stop that."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    if servers is not None:
        servers.stop()
    if application is not None:
        application.stop()


if __name__ == "__main__":
    sys.exit(main())
