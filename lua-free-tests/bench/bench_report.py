"""
Owns: medians, ratios, targets, and how they are shown.
Borrows: the measurements of bench.py.
Called by: bench.py.
"""

import os
import pathlib
import platform
import re
import subprocess
from statistics import median

import bench_config as config

# CPUs which other processes took (a worker kept waiting weighs more), from
# where on a run counts as disturbed
NOISE = 0.12

COLUMNS = (
    # heading, name in the summary, digits
    ("requests/s", "rps", 0),
    ("worker us", "worker_us", 1),
    ("x plain", "worker_ratio", 2),
    ("Redis us", "redis_us", 1),
    ("x plain", "redis_ratio", 2),
    ("p50 us", "p50_us", 0),
    ("p99 us", "p99_us", 0),
    ("p99 half us", "half_p99_us", 0),
    ("x plain", "half_p99_ratio", 2),
)


def first_line(argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip().split("\n")[0]


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", text)
    virtual = re.search(r"^flags.*\bhypervisor\b", text, re.M)

    return (f"{os.cpu_count()} x {model[1] if model else platform.machine()}"
            f"{', virtual' if virtual else ''}, Linux "
            + ".".join(platform.release().split(".")[:2]))


def filesystem(path):
    done = subprocess.run(["df", "--output=fstype", str(path)],
                          capture_output=True, text=True)
    return done.stdout.split()[-1] if done.returncode == 0 else "unknown"


def facts(a, bench, ceiling, seconds):
    redis = a.redis and first_line([a.redis, "--version"])
    redis = redis and re.search(r"v=(\S+)", redis)

    return {
        "machine": machine(),
        "nginx": first_line([a.nginx, "-v"]).rpartition("/")[2],
        "redis": redis[1] if redis else None,
        "filesystem": filesystem(bench.directory),
        "pinned": bench.worker is not None,
        "connections": a.connections,
        "rounds": a.rounds,
        "seconds": a.seconds,
        "paced_seconds": a.paced_seconds,
        "half_rate": bench.rate,
        "arrivals": "uniform" if a.uniform else "exponential",
        "ceiling_rps": ceiling,
        "repeated": bench.repeated,
        "disturbed": bench.disturbed,
        "took_seconds": round(seconds, 1),
    }


def calm(run, part):
    return run[part]["noise"] <= NOISE


def middle(runs, part, name):
    """The median of the undisturbed runs; of all where those are too few."""
    runs = [r for r in runs if name in r[part]]
    quiet = [r for r in runs if calm(r, part)]
    chosen = quiet if len(quiet) >= 2 else runs

    return median(r[part][name] for r in chosen) if chosen else None


def ratios(runs, plain, part, name, base):
    """Each round against the plain run of the same round, likewise."""
    pairs = [(r, p) for r, p in zip(runs, plain) if name in r[part]]
    quiet = [(r, p) for r, p in pairs if calm(r, part) and calm(p, part)]

    return [r[part][name] / p[part][base]
            for r, p in (quiet if len(quiet) >= 2 else pairs)]


def summarise(results, facts):
    summary = {}
    plain = results["a"]

    for key, runs in results.items():
        s = {"title": config.VARIANTS[key].title}

        for name in ("rps", "worker_us", "redis_us", "p50_us", "p90_us",
                     "p99_us", "load_us", "worker_busy",
                     "noise"):
            s[name] = middle(runs, "closed", name)

        for name in ("rps", "worker_us", "redis_us", "p50_us", "p99_us"):
            s["half_" + name] = middle(runs, "paced", name)

        for name, part, top, base in (
                ("rps_ratio", "closed", "rps", "rps"),
                ("worker_ratio", "closed", "worker_us", "worker_us"),
                ("redis_ratio", "closed", "redis_us", "worker_us"),
                ("half_worker_ratio", "paced", "worker_us", "worker_us"),
                ("half_redis_ratio", "paced", "redis_us", "worker_us"),
                ("half_p99_ratio", "paced", "p99_us", "p99_us")):
            each = ratios(runs, plain, part, top, base)
            s[name] = median(each) if each else None
            s[name + "_range"] = [min(each), max(each)] if each else None

        s["half_calm"] = sum(calm(r, "paced") for r in runs)
        s["half_kept"] = s["half_rps"] >= 0.97 * facts["half_rate"]
        s["redis_commands"] = runs[-1]["closed"].get("redis_commands")
        s["evaluations"] = runs[-1].get("evaluations")
        s["chain"] = runs[-1].get("chain")
        summary[key] = s

    return summary


def targets(summary):
    """Section 8 of the design: (what, limit, measured) or measured None."""
    def at(key, name):
        return summary[key][name] if key in summary else None

    both = at("e", "worker_us"), at("f", "worker_us")

    return (
        ("worker CPU, module with Redis / plain", 1.6, at("d", "worker_ratio")),
        ("Redis' CPU / plain's worker CPU", 1 / 3, at("d", "redis_ratio")),
        ("p99 at half load, module with Redis / plain", 1.5,
         at("d", "half_p99_ratio")),
        ("worker CPU, module rejecting / limit_req rejecting", 1.0,
         both[0] / both[1] if all(both) else None),
    )


def warnings(summary, facts):
    found = []

    for key, s in summary.items():
        if s["worker_busy"] < 0.85:
            found.append(f"({key}) the worker was busy only "
                         f"{s['worker_busy']:.0%} of the time: requests/s is "
                         "limited elsewhere; CPU per request rises little")

        if not s["half_kept"]:
            found.append(f"({key}) did not keep up with the half-load rate: "
                         "its p99 there is that of an overload")

    if facts["disturbed"]:
        found.append(
            f"other processes disturbed {facts['disturbed']} of "
            f"{2 * facts['rounds'] * len(summary)} runs (after "
            f"{facts['repeated']} repeats); the others count where there are "
            "two, else latencies are worthless: use a quiet machine")

    return found


def cell(value, digits):
    return "-" if value is None else f"{value:,.{digits}f}"


def rows(summary):
    for key, s in summary.items():
        yield (f"({key}) {s['title']}",
               [cell(s[name], digits) for _, name, digits in COLUMNS])


def target_lines(summary):
    calm_enough = all(s["half_calm"] >= 2 for s in summary.values())

    for what, limit, got in targets(summary):
        if got is not None and "p99" in what and not calm_enough:
            yield (f"{what}: at most {limit:.2f}, measured {got:.2f} on too "
                   "busy a machine to tell")
        elif got is None:
            yield f"{what}: at most {limit:.2f}, not measured"
        else:
            word = "met" if got <= limit else "missed"
            yield f"{what}: at most {limit:.2f}, measured {got:.2f}, {word}"


def conditions(facts):
    pin = ("the worker on a CPU of its own, everything else on the others"
           if facts["pinned"] else "processes placed by the scheduler")

    return (
        f"Machine: {facts['machine']}; nginx {facts['nginx']}, "
        f"Redis {facts['redis'] or 'not installed'}; logs on "
        f"{facts['filesystem']}.",
        f"One worker, {facts['connections']} kept client connections over "
        f"loopback TCP, {pin}.",
        f"Medians of {facts['rounds']} interleaved rounds of "
        f"{facts['seconds']:g} s closed loop and {facts['paced_seconds']:g} s "
        f"at half load ({facts['half_rate']:,.0f} requests/s, "
        f"{facts['arrivals']} gaps, latency from the intended time).",
        "CPU per request is the scheduler's time on CPU of the process "
        "(/proc/PID/task/*/schedstat), kernel included, during the closed "
        "loop; a ratio is to plain nginx in the same round.",
        "Access logs and audit log are written without a buffer. "
        f"Generator and application (one process) reach "
        f"{facts['ceiling_rps']:,.0f} requests/s.",
    )


def half_lines(summary):
    """Where nothing comes in batches, a request costs more, plain's too."""
    for key, s in summary.items():
        line = (f"({key}) worker {s['half_worker_us']:.1f} us, "
                f"{s['half_worker_ratio']:.2f} x plain there")

        if s["half_redis_us"] is not None:
            line += (f"; Redis {s['half_redis_us']:.1f} us, "
                     f"{s['half_redis_ratio']:.2f} x plain's worker")

        yield line


def table(summary, skipped, facts):
    body = list(rows(summary))
    width = max(len(title) for title, _ in body)
    widths = [max(len(head), *(len(r[i]) for _, r in body))
              for i, (head, _, _) in enumerate(COLUMNS)]
    lines = ["", " " * width + "  " + "  ".join(
        head.rjust(w) for (head, _, _), w in zip(COLUMNS, widths))]

    for title, values in body:
        lines.append(title.ljust(width) + "  " + "  ".join(
            v.rjust(w) for v, w in zip(values, widths)))

    lines.append("")
    lines += [f"skipped ({v.key}) {v.title}: {why}" for v, why in skipped]
    lines += [f"Redis commands per request ({key}): "
              + ", ".join(f"{n} {c:g}" for n, c in s["redis_commands"].items())
              for key, s in summary.items() if s["redis_commands"]]
    lines += [f"audit chain ({key}): {s['chain']}"
              for key, s in summary.items() if s["chain"]]
    lines += [f"CPU at half load {line}" for line in half_lines(summary)]
    lines += [f"target: {line}" for line in target_lines(summary)]
    lines += [f"note: {line}" for line in warnings(summary, facts)]
    lines += ["", *conditions(facts), f"Took {facts['took_seconds']:g} s."]

    return "\n".join(lines)


def markdown(summary, skipped, facts):
    lines = ["| | " + " | ".join(head.replace(" us", " µs")
                                 for head, _, _ in COLUMNS) + " |",
             "|---|" + "---:|" * len(COLUMNS)]

    for title, values in rows(summary):
        lines.append(f"| {title} | " + " | ".join(values) + " |")

    lines.append("")
    lines += [f"* Not run: {v.title} ({why})." for v, why in skipped]
    lines += [f"* {line}." for line in target_lines(summary)]
    lines += [f"* CPU at half load {line}." for line in half_lines(summary)]
    lines += [f"* {line}." for line in warnings(summary, facts)]
    lines += ["", *conditions(facts), ""]

    return "\n".join(lines)
