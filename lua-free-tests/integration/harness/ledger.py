"""What the audit log tells of each call: its decision and its end."""

from dataclasses import dataclass

# A policy whose one counter is exact and counts every call of an account, so
# that its value says how often the module has counted.
POLICY = """
    integrity_zone   integrity:4m;
    integrity_secret %%SECRET%%;
    integrity_audit  %%AUDIT%%;

    integrity_field   account  $http_x_account;
    integrity_counter calls    key=account window=1h exact count=attempts;
    integrity_rule    banned   "account == 'bad'"   then=deny;
    integrity_rule    hasty    "account == 'hasty'" then=throttle;
    integrity_rule    odd      "account == 'odd'"   then=hold;
    integrity_rule    many     "calls > 1000"       then=throttle;
"""


@dataclass
class Entry:
    decision: dict
    outcome: dict

    @property
    def account(self):
        return self.decision["field"].get("account")

    @property
    def calls(self):
        return self.decision["counter"].get("calls")

    def __getitem__(self, key):
        return self.decision[key]


def ledger(server):
    """Ends the server; the decided calls in order, each with its outcome.

    Fails where a decision or an outcome is there twice or alone. A call whose
    client left before the decision has no decision and is left out.
    """
    server.quit()
    decisions = server.audit_lines("decision")
    outcomes = [line for line in server.audit_lines("outcome")
                if not line.get("aborted")]
    events = [line["event"] for line in decisions]
    assert len(set(events)) == len(events), "an event was decided twice"
    assert sorted(line["event"] for line in outcomes) == sorted(events)
    ends = {line["event"]: line for line in outcomes}
    return [Entry(line, ends[line["event"]]) for line in decisions]


def told(server):
    """(action, account, calls so far, decision, status) of each call."""
    return [(entry["action"], entry.account, entry.calls, entry["decision"],
             entry.outcome["status"]) for entry in ledger(server)]


def aborted(server):
    """Outcomes of calls that ended before their decision."""
    return [line for line in server.audit_lines("outcome")
            if line.get("aborted")]
