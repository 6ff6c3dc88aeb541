"""Prometheus as a process on a port of its own, with the scrape configuration of docs/metrics.md and the shipped rules."""

import json
import pathlib
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from harness import DEADLINE
from harness.web import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "conf" / "prometheus" / "xmpp-authd.rules.yml"
RULES_TEST = ROOT / "conf" / "prometheus" / "xmpp-authd.rules.test.yml"


def documented_configuration():
    """The prometheus.yml that docs/metrics.md shows."""
    return re.search(r"^```yaml\n(.*?)^```$", (ROOT / "docs" / "metrics.md").read_text(), flags=re.DOTALL | re.MULTILINE)[1]


class Prometheus:
    def __init__(self, directory, target_port):
        self.directory = directory
        self.port = free_port()
        text = documented_configuration()
        text = re.sub(r"127\.0\.0\.1:9542", f"127.0.0.1:{target_port}", text)
        text = text.replace("/etc/prometheus/xmpp-authd.rules.yml", str(RULES))
        self.configuration = directory / "prometheus.yml"
        self.configuration.write_text("global:\n  scrape_interval: 250ms\n  scrape_timeout: 250ms\n  evaluation_interval: 250ms\n" + text)
        self.process = None

    def start(self):
        with open(self.directory / "prometheus.log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.configuration}", f"--storage.tsdb.path={self.directory / 'tsdb'}",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], stdout=log, stderr=log, cwd=self.directory)
        deadline = time.monotonic() + DEADLINE
        while not self.is_ready():
            assert time.monotonic() < deadline and self.process.poll() is None, self.log()
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log(self):
        return (self.directory / "prometheus.log").read_text()

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=DEADLINE) as answer:
                return answer.status == 200
        except OSError:
            return False

    def api(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}", timeout=DEADLINE) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def query(self, expression):
        """The samples of an instant query: [(labels, number)]."""
        return [(sample["metric"], float(sample["value"][1])) for sample in self.api("query", query=expression)["result"]]

    def single(self, expression):
        """The number that an expression is, 0 where there is none."""
        samples = self.query(expression)
        return samples[0][1] if samples else 0
