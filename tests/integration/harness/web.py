"""HTTP over a port of this machine or a Unix socket, and Prometheus' text format read strictly."""

import http.client
import re
import socket

from . import DEADLINE

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[0-9.]+)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Connection(http.client.HTTPConnection):
    """To a port, or to a socket's path."""

    def __init__(self, address):
        super().__init__("localhost", timeout=DEADLINE)
        self.address = address

    def connect(self):
        if isinstance(self.address, int):
            self.sock = socket.create_connection(("127.0.0.1", self.address), DEADLINE)
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(DEADLINE)
            self.sock.connect(str(self.address))


def get(address, target, method="GET", **headers):
    """The status and the text of an answer."""
    connection = Connection(address)
    try:
        connection.request(method, target, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("ascii")
    finally:
        connection.close()


def parse_metrics(text):
    """{(name, ((label, value), ...)): number}, the labels sorted. Each family begins with what it is, stands in one piece, and
    no sample stands twice."""
    samples, types = {}, {}
    family = None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in types
        elif line.startswith("# TYPE "):
            name, kind = line.split(" ")[2:]
            assert name == family and kind in ("counter", "gauge", "histogram")
            types[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, f"no sample: {line!r}"
            suffixes = ["_bucket", "_sum", "_count"] if types[family] == "histogram" else [""]
            assert match[1] in [family + suffix for suffix in suffixes], line
            labels = tuple(sorted((name, re.sub(r"\\(.)", r"\1", value)) for name, value in LABEL.findall(match[2] or "")))
            assert (match[1], labels) not in samples, f"twice: {line}"
            samples[match[1], labels] = float(match[3])
    return samples


def metrics(address):
    """What /metrics says now."""
    status, text = get(address, "/metrics")
    assert status == 200
    return parse_metrics(text)


def value(samples, name, **labels):
    return samples[name, tuple(sorted(labels.items()))]
