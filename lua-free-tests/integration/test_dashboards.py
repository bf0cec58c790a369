"""conf/prometheus and conf/grafana ask for what the status page shows."""

import json
import re
import shutil
import subprocess

from harness.settings import ROOT
from test_status import prometheus, server  # noqa: F401

ALERTS = ROOT / "conf" / "prometheus" / "integrity.rules.yml"
DASHBOARD = ROOT / "conf" / "grafana" / "integrity.json"

# What Prometheus adds to every sample, and what a query makes itself.
ADDED = {"instance", "job", "le"}


def panels():
    return json.loads(DASHBOARD.read_text())["panels"]


def queries():
    """(where, PromQL) of every alert and every panel."""
    text = ALERTS.read_text()
    for name, query in re.findall(
            r"- alert: (\w+)\n\s+expr: (?:>-\n)?(.*?)\n\s+(?:for|labels):",
            text, re.S):
        yield name, query
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def shown(server):  # noqa: F811
    """{metric: its labels}, as the page has them after some calls."""
    samples = prometheus(server.get("/status?format=prometheus").text)
    found = {}
    for name, labels in samples:
        found.setdefault(name, set()).update(key for key, _ in labels)
    return found


def test_every_metric_and_label_asked_for_is_there(server):  # noqa: F811
    server.post("/reviews", json={"rating": 1})
    there = shown(server)
    asked = list(queries())
    assert len(asked) > 30
    for where, query in asked:
        names = re.findall(r"nginx_integrity_\w+", query)
        assert names, where
        for name in names:
            assert name in there, f"{where} asks for {name}"
        known = set.union(*(there[name] for name in names)) | ADDED
        labels = set(re.findall(r"(\w+)(?:=~|!=|=)\"", query))
        for group in re.findall(r"by \(([\w, ]+)\)", query):
            labels |= set(group.replace(" ", "").split(","))
        assert labels <= known, f"{where} asks for {labels - known}"


def test_every_metric_is_in_the_dashboard(server):  # noqa: F811
    text = DASHBOARD.read_text()
    families = {re.sub(r"_(sum|count)$", "_bucket", name)
                for name in shown(server)}
    assert [name for name in sorted(families) if name not in text] == []


def test_the_dashboard_is_laid_out():
    """No panel lies on another or beyond the edge; ids and titles are one's
    own; a legend is of what the query keeps."""
    taken = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24
        taken |= cells
        for target in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert label in target["expr"]
    for key in ("id", "title"):
        assert len({panel[key] for panel in panels()}) == len(panels())


def test_promtool_accepts_the_alerts():
    """Where it is installed (Debian's prometheus, no package of ours)."""
    promtool = shutil.which("promtool")
    if promtool:
        done = subprocess.run([promtool, "check", "rules", ALERTS],
                              capture_output=True, text=True, timeout=60,
                              check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(queries())) - len(
        [1 for panel in panels() for _ in panel["targets"]]) \
        == ALERTS.read_text().count("- alert:")
