"""The daemon's peers: what else answers a chat server's or a mail server's question whether a login is good, asked alike."""

import dataclasses
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable

import peer_servers
import svg
from report import Chapter, table
from throughput import WrongAnswers

ROUNDS = 5
VALUES = ("rate", "cpu_us", "p50_us", "p99_us")


@dataclasses.dataclass
class Way:
    """A way of asking that some servers have in common: they are measured in turns, and compared."""

    name: str
    clients: int
    depth: int


@dataclasses.dataclass
class Peer:
    """A server that is asked in a way, in the dialect that it speaks."""

    name: str
    way: Way
    dialect: str
    start: Callable  # of bench and directory; a context manager of a Target
    takes_tokens: bool
    questions: int
    configuration: str

    @property
    def is_ours(self):
        """Whether it is the daemon itself."""
        return self.name.startswith("xmpp-")


ONE_PROCESS = Way("standard input, 1 process", 1, 1)
FOUR_PROCESSES = Way("standard input, 4 processes", 4, 1)
CONNECTIONS = Way("50 clients, a connection a question", 50, 1)
PING_PONG = Way("50 clients, ping-pong", 50, 1)
DEEP = Way("4 clients, 64 deep", 4, 64)

SCRIPT = "tests/bench/extauth_script.py: a token like the daemon's, spent ones in each process's memory"
DAEMON = "store = journal: a token, spent ones on disk"
SASLAUTHD = "-a sasldb -n 5: a password, as it is, in a file of Berkeley DB"
SASLAUTHD_CACHED = "-a sasldb -n 5 -c: the same; what was right before is not looked up again"
DOVECOT = "passdb static, PLAIN: a password, the same for everybody, in the configuration"


def _peers():
    for way in (ONE_PROCESS, FOUR_PROCESSES):
        count = way.clients
        yield Peer("Python extauth script", way, "ejabberd", lambda b, d, n=count: peer_servers.script(b, d, n), True, 10_000, SCRIPT)
        yield Peer("xmpp-extauth, xmpp-authd", way, "ejabberd", lambda b, d, n=count: peer_servers.relay(b, d, n), True, 10_000, DAEMON)
    for name, options, how in (("saslauthd", "", SASLAUTHD), ("saslauthd -c", "-c", SASLAUTHD_CACHED)):
        yield Peer(name, CONNECTIONS, "saslauthd", lambda b, d, o=options: peer_servers.saslauthd(b, d, o), False, 5_000, how)
    yield Peer("xmpp-authd", CONNECTIONS, "saslauthd", lambda b, d: peer_servers.daemon(b, d, "cyrus"), True, 20_000, DAEMON)
    for way in (PING_PONG, DEEP):
        yield Peer("Dovecot auth", way, "dovecot", peer_servers.dovecot, False, 20_000, DOVECOT)
        yield Peer("xmpp-authd", way, "generic", peer_servers.daemon, True, 60_000, DAEMON)


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return ((done.stdout + done.stderr).splitlines() or [""])[0]


def _version(peer):
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    if peer.is_ours:
        return "this"
    if peer.name.startswith("Python"):
        return "Python " + ".".join(map(str, sys.version_info[:3]))
    program = shutil.which("dovecot" if peer.dialect == "dovecot" else "saslauthd", path=path)
    found = re.search(r"\d[\d.]*\d", _first_line(program, "--version" if peer.dialect == "dovecot" else "-v")) if program else None
    return found.group() if found else ""


def _run(bench, peer, questions):
    """One run against a peer that was started for it. Every answer must be yes."""
    directory = bench.empty_directory()
    login = ["--key", bench.key_path] if peer.takes_tokens else ["--user", peer_servers.USER, "--password", peer_servers.PASSWORD]
    with peer.start(bench, directory) as target:
        (line,) = bench.run(
            "peer-client", "--speak", peer.dialect, "--clients", peer.way.clients, "--depth", peer.way.depth,
            "--questions", questions, "--processes", ",".join(map(str, target.processes)), *login, *target.way,
            descriptors=target.descriptors,
        )
    if int(line["yes"]) != questions or int(line["no"]) != 0:
        raise WrongAnswers(f"{peer.name}: {line['yes']} yes and {line['no']} no to {questions} good logins")
    seconds = float(line["seconds"])
    return {
        "rate": questions / seconds,
        "cpu_us": float(line["server_cpu"]) / questions * 1e6,
        "p50_us": float(line["p50_us"]),
        "p99_us": float(line["p99_us"]),
    }


def _figures(peer, runs):
    measured = {name: statistics.median(run[name] for run in runs) for name in VALUES} if runs else None
    return {
        "peer": peer.name, "version": _version(peer), "configuration": peer.configuration, "asked": peer.way.name,
        "clients": peer.way.clients, "depth": peer.way.depth, "password": "token" if peer.takes_tokens else "constant",
        "ours": peer.is_ours, "rounds": len(runs), "measured": measured,
    }


def _measure_round(bench, options, peers, runs, missing):
    """A run against each peer that can be had."""
    for peer in peers:
        if peer.name in missing:
            continue
        try:
            runs[id(peer)].append(_run(bench, peer, 200 if options.quick else peer.questions))
        except peer_servers.Unavailable as why:
            missing[peer.name] = str(why)


def _rows(figures):
    """A row for each peer that was measured, beside the daemon asked in the same way."""
    ours = {of["asked"]: of["measured"]["rate"] for of in figures if of["ours"]}
    return [
        [of["asked"], of["peer"], f"{one['rate']:,.0f}", f"{one['rate'] / ours[of['asked']]:.2f}", f"{one['cpu_us']:,.1f}"]
        + [f"{one['p50_us']:,.0f}", f"{one['p99_us']:,.0f}"]
        for of in figures
        if (one := of["measured"]) is not None
    ]


def measure(bench, options):
    """Every peer, in rounds of one run each; one that can't be had is left out, and the report says so."""
    chapter = Chapter("Peers", "peers")
    peers = list(_peers())
    runs = {id(peer): [] for peer in peers}
    missing = {}
    for _ in range(1 if options.quick else min(options.rounds, ROUNDS)):
        _measure_round(bench, options, peers, runs, missing)
    chapter.figures = [_figures(peer, runs[id(peer)]) for peer in peers]
    header = ["asked by", "server", "answers/s", "of xmpp-authd", "CPU us", "p50 us", "p99 us"]
    chapter.tables.append(table(header, _rows(chapter.figures)))
    described = {of["peer"]: [of["peer"], of["version"], of["configuration"]] for of in chapter.figures}
    chapter.tables.append(table(["server", "version", "what it looks at"], list(described.values())))
    chapter.notes.append(
        "saslauthd and Dovecot do another job: they compare a password that may be used again, where xmpp-authd and the script "
        "verify a signed token and let it in once. All run on one core; every answer was yes to a good login."
    )
    chapter.notes += [f"{name}: not measured here. {why[0].upper()}{why[1:]}." for name, why in missing.items()]
    chapter.plots = plots(chapter.figures)
    return chapter


def plots(figures):
    """Answers a second, those asked in the same way side by side."""
    groups = {}
    for of in figures:
        if of["measured"] is not None:
            groups.setdefault(of["asked"], []).append(svg.Bar(of["peer"], of["measured"]["rate"], of["ours"]))
    what = "Answers a second of xmpp-authd and its peers, asked alike on one core"
    return {"peers.svg": (what, svg.bars(what, "answers a second", list(groups.items())))}
