"""Many hosts and many keys: what a verdict costs then, how long a start takes, and what a reload does to those who ask."""

import base64
import os
import random
import socket
import statistics
import time

import svg
from report import Chapter, Mark, table
from servers import write

FLAT_MAX = 1.1  # a verdict with many hosts, of one with one host
FIT_MAX = 0.1  # how far a verdict with k keys is off the line
KEY_HMACS_MAX = 1.2  # what a further key adds
START_SECONDS_MAX = 1.0
LATE_MS_MAX = 50

HOSTS = (1, 10, 100, 1_000, 10_000)
KEYS = tuple(range(1, 9))

HEAD = """\
[server]
listen = {socket}
[replay]
store = memory
after_restart = accept
[log]
level = info
"""
# No run lasts as long as a token counts.
HOST = "[host {name}]\notp_interval = 300\notp_window = 1\notp_seed = {seed}\ntoken_secret = {secret}\n"
KEY = "[key {name} key{number}]\notp_seed = {seed}\ntoken_secret = {secret}\n"


def _secrets(source):
    return {"seed": base64.b32encode(source.randbytes(20)).decode(), "secret": source.randbytes(32).hex()}


def _bench_secrets(bench):
    """The key that the programs of the bench mint with."""
    with open(bench.key_path, encoding="ascii") as file:
        seed, secret = (line.split(" = ")[1].strip() for line in file)
    return {"seed": seed, "secret": secret}


def _directory(bench):
    path = os.path.join(bench.directory, "growth")
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


def _configure(bench, name, hosts, keys=1, own=None, first=None):
    """Writes a configuration; its path. The hosts have the bench's key, or other ones of their own; the first may be special."""
    directory = _directory(bench)
    shared, source = _bench_secrets(bench), random.Random(own)
    parts = [HEAD.format(socket=os.path.join(directory, "socket"))]
    if first is not None:
        parts.append(HOST.format(name=first, **shared))
    for number in range(hosts):
        domain = f"h{number:04}.tests"
        parts.append(HOST.format(name=domain, **(shared if own is None else _secrets(source))))
        parts += [KEY.format(name=domain, number=key, **_secrets(source)) for key in range(keys - 1)]
    path = os.path.join(directory, name)
    write(path, "".join(parts))
    return path


def _cost(bench, options, largest, cases):
    """What a verdict costs in each case, by its name."""
    batch, rounds = (200, 1) if options.quick else (10_000, 21)
    lines = bench.run("growth-cost", "--key", bench.key_path, "--largest", largest, "--batch", batch, "--rounds", rounds, *cases)
    return {line.pop("case"): {name: float(value) for name, value in line.items()} for line in lines}


def hosts(bench, options):
    """A verdict where there are many hosts, asked about at random or only one of them; the marks."""
    counts = HOSTS[:3] if options.quick else HOSTS
    paths = {count: _configure(bench, f"hosts-{count}", count) for count in counts}
    largest = counts[-1]
    cases = [f"{count}={paths[count]}={count}=random" for count in counts] + [f"one={paths[largest]}=1"]
    cost = _cost(bench, options, paths[largest], cases)
    rows = [[f"{count:,}", "any, at random", *_cost_cells(cost[str(count)])] for count in counts]
    rows.append([f"{largest:,}", "one", *_cost_cells(cost["one"])])
    figures = {
        "at_random": [(count, cost[str(count)]["verdict_ns"]) for count in counts],
        "one": (largest, cost["one"]["verdict_ns"]),
        "flat": [(count, cost[str(count)]["flat"]) for count in counts],
    }
    return Chapter(
        "Many hosts",
        "hosts",
        figures=figures,
        plots=host_plots(figures),
        tables=[table(["hosts", "asked about", "verdict ns", "in HMACs", "of one host's"], rows)],
        marks=[
            Mark(f"a verdict with {largest:,} hosts, any at random: of one with 1", cost[str(largest)]["flat"], FLAT_MAX, False),
            Mark(f"a verdict with {largest:,} hosts, always the same: of one with 1", cost["one"]["flat"], FLAT_MAX, False),
        ],
    )


def host_plots(figures):
    """What a verdict costs, by the number of hosts."""
    what = "A verdict's cost, by the number of hosts that are asked about at random"
    series = [svg.Series("any host", figures["flat"])]
    return {"growth-hosts.svg": (what, svg.lines(what, "hosts", "of the cost with one", [svg.Panel("", series)], size=(560, 220)))}


def _cost_cells(cost):
    return [f"{cost['verdict_ns']:.0f}", f"{cost['ratio']:.2f}", f"{cost['flat']:.2f}"]


def _line(points):
    """The line of least squares through points: where it begins, and how steep it is."""
    slope, start = statistics.linear_regression([x for x, _ in points], [y for _, y in points])
    return start, slope


def keys(bench, options):
    """A verdict where the host has several keys, all of which are tried; the marks."""
    counts = KEYS[:2] if options.quick else KEYS
    paths = {count: _configure(bench, f"keys-{count}", 1, keys=count) for count in counts}
    cost = _cost(bench, options, paths[counts[-1]], [f"{count}={paths[count]}=1" for count in counts])
    points = [(count, cost[str(count)]["verdict_ns"]) for count in counts]
    start, slope = _line(points)
    off = max(abs(ns - start - slope * count) / ns for count, ns in points)
    hmac_ns = statistics.median(one["hmac_ns"] for one in cost.values())
    figures = {"verdict_ns": points, "start_ns": start, "key_ns": slope, "hmac_ns": hmac_ns}
    return Chapter(
        "Many keys",
        "keys",
        figures=figures,
        plots=key_plots(figures),
        tables=[table(["keys of the host", "verdict ns", "in HMACs", "of one key's"], [[str(c), *_cost_cells(cost[str(c)])] for c in counts])],
        notes=[f"A verdict costs {start:.0f} ns, and {slope:.0f} ns for each key that is tried, which is {slope / hmac_ns:.2f} HMACs."],
        marks=[
            Mark("a verdict with 1 to 8 keys: off the line, at the most", off, FIT_MAX, False),
            Mark("what each further key adds, in HMACs", slope / hmac_ns, KEY_HMACS_MAX, False),
        ],
    )


def key_plots(figures):
    """What a verdict costs, by the number of keys, and the line that it should be on."""
    what = "A verdict's cost, by the number of keys that are tried"
    line = [(count, figures["start_ns"] + figures["key_ns"] * count) for count, _ in figures["verdict_ns"]]
    series = [svg.Series("measured", figures["verdict_ns"]), svg.Series("straight line", line)]
    chart = svg.lines(what, "keys of the host", "nanoseconds", [svg.Panel("", series)], x_log=False, size=(560, 220))
    return {"growth-keys.svg": (what, chart)}


def _start_seconds(bench, path):
    """From the start of the program until its socket answers."""
    listening = os.path.join(_directory(bench), "socket")
    began = time.monotonic()
    with bench.serving(path, listening):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(listening)
            client.sendall(b"isuser:somebody:h0000.tests\n")
            client.recv(2)
        return time.monotonic() - began


def starts(bench, options):
    """How long a start takes with one host and with many, in turns; the mark."""
    many = 100 if options.quick else 10_000
    paths = {count: _configure(bench, f"start-{count}", count, own=1) for count in (1, many)}
    rounds = [{count: _start_seconds(bench, path) for count, path in paths.items()} for _ in range(1 if options.quick else 5)]
    seconds = {count: statistics.median(one[count] for one in rounds) for count in paths}
    rows = [[f"{count:,}", f"{seconds[count] * 1000:.0f} ms", f"{seconds[count] / seconds[1]:.1f}"] for count in paths]
    return Chapter(
        "The start",
        "start",
        figures={"seconds": sorted(seconds.items())},
        tables=[table(["hosts", "until it answers", "of one host's"], rows)],
        marks=[Mark(f"a start with {many:,} hosts", seconds[many], START_SECONDS_MAX, False, " s")],
    )


def _reload_paths(bench, many):
    """The configurations that take the place of one another; each has the host that the clients log in to."""
    paths = {
        "many hosts": _configure(bench, "many", many, own=1, first="example.org"),
        "unchanged": _configure(bench, "unchanged", many, own=1, first="example.org"),
        "all keys changed": _configure(bench, "changed", many, own=2, first="example.org"),
        "one host left": _configure(bench, "one", 0, first="example.org"),
        "many hosts added": _configure(bench, "added", many, own=2, first="example.org"),
        "one key changed": os.path.join(_directory(bench), "one-key"),
    }
    with open(paths["many hosts"], encoding="ascii") as file:
        text = file.read()
    # The last key, whose secret is the last line.
    write(paths["one key changed"], text[: text.rindex("token_secret")] + f"token_secret = {random.Random(3).randbytes(32).hex()}\n")
    return paths


RELOADS = ("unchanged", "one key changed", "all keys changed", "one host left", "many hosts added")


def _reloads_done(path):
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(10)
        control.connect(path)
        control.sendall(b"status\n")
        text = b""
        while piece := control.recv(65536):
            text += piece
    fields = dict(word.split("=", 1) for word in text.decode().split() if "=" in word)
    return int(fields["reloads"]), int(fields["failed_reloads"])


def reloads(bench, options):
    """The latest answer that 50 clients in ping-pong get while many hosts are reloaded, and while nothing is; the marks."""
    many, rounds, milliseconds = (100, 1, 50) if options.quick else (10_000, 7, 700)
    directory, paths = _directory(bench), _reload_paths(bench, many)
    current, listening = os.path.join(directory, "current"), os.path.join(directory, "socket")
    os.link(paths["many hosts"], current)
    # Not before all else on one core: the thread that reads the file would have what the loop should have.
    with bench.serving(current, listening, pinned=False):
        lines = bench.run(
            "fairness-load", "--key", bench.key_path, "--socket", listening, "--clients", 50, "--rounds", rounds, "--ms", milliseconds,
            "--reloaded", current, "alone", *(f"reload={paths[name]}" for name in RELOADS), pinned=False,
        )
        done = _reloads_done(os.path.join(directory, "control.sock"))
    if done != (rounds * len(RELOADS), 0):
        raise ValueError(f"{done[0]} reloads of {rounds * len(RELOADS)}, and {done[1]} that failed")
    words = {"alone": "no reload", **{os.path.basename(paths[name]): name for name in RELOADS}}
    worst = {name: [float(line["max_us"]) / 1000 for line in lines if words[line["phase"]] == name] for name in words.values()}
    rows = [[name, f"{min(ms):.1f}", f"{statistics.median(ms):.1f}", f"{max(ms):.1f}"] for name, ms in worst.items()]
    # A loop that stands still does so each time; what else the machine has to do does not.
    latest = max(min(ms) for name, ms in worst.items() if name != "no reload")
    return Chapter(
        f"Reloads of {many:,} hosts",
        "reload",
        figures={name.replace(" ", "_"): ms for name, ms in worst.items()},
        tables=[table(["reload", "latest answer ms, in the quietest round", "median", "in any round"], rows)],
        marks=[Mark(f"the latest answer while {many:,} hosts are reloaded, in the quietest round of each kind", latest, LATE_MS_MAX, False, " ms")],
    )
