"""Takes the pictures that README shows, of the real programs: docs/images/top.png, a terminal with xmpp-authctl top, and
docs/images/prometheus.png, the dashboard's queries on Prometheus' own graph page. `make pictures` runs it."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "integration"))  # the daemon, clients, a minter

from harness.configuration import Configuration
from harness.daemon import BUILD, Daemon
from harness.minter import Key
from harness.web import free_port
from prometheus import ROOT, Prometheus
from traffic import Traffic

IMAGES = ROOT / "docs" / "images"
MINUTES = 2
PANELS = ("Logins by reason", "Time to a decision")
TERMINAL = ["xterm", "-fa", "DejaVu Sans Mono", "-fs", "11", "-geometry", "100x36", "-bg", "#12161c", "-fg", "#d8dee9", "+sb", "-b", "8"]


@contextlib.contextmanager
def display():
    """An X server without a screen; its number."""
    read, write = os.pipe()
    with subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1000x760x24", "-nolisten", "tcp"],
                          pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as numbers:
            number = numbers.readline().strip()
        try:
            yield f":{number}"
        finally:
            server.terminate()


def shrink(source, target, *options):
    """The picture without its margins, with few colours."""
    subprocess.run(["convert", source, "-trim", "+repage", *options, "-dither", "None", "-colors", "96", "-depth", "8", "-strip", target], check=True)
    assert target.stat().st_size < 200_000, f"{target} is too big"


def take_top(daemon, directory, seconds):
    """A terminal with top, which has a history by the time that the picture is taken."""
    with display() as name:
        env = {**os.environ, "DISPLAY": name, "LC_ALL": "C.UTF-8"}
        watch = [BUILD / "xmpp-authctl", "top", "--interval", "1", "--control", daemon.directory / "control.sock"]
        with subprocess.Popen([*TERMINAL, "-e", *watch], env=env) as terminal:
            time.sleep(seconds)
            subprocess.run(["import", "-window", "root", directory / "top.png"], env=env, check=True)
            terminal.terminate()
    shrink(directory / "top.png", IMAGES / "top.png")


def graph_page(prometheus):
    """The address of the page with a graph for each panel's last query."""
    dashboard = json.loads((ROOT / "conf" / "grafana" / "xmpp-authd.json").read_text())
    parameters = []
    for number, title in enumerate(PANELS):
        (panel,) = [panel for panel in dashboard["panels"] if panel["title"] == title]
        query = panel["targets"][-1]["expr"].replace("$__rate_interval", "10s")
        query = re.sub(r'(,?)(instance|host)=~"\$\w+"', "", query).replace("{,", "{").replace("{}", "")
        parameters += [(f"g{number}.expr", query), (f"g{number}.tab", "0"), (f"g{number}.range_input", f"{MINUTES}m")]
        if panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal":
            parameters.append((f"g{number}.stacked", "1"))
    return f"http://127.0.0.1:{prometheus.port}/graph?{urllib.parse.urlencode(parameters)}"


def take_prometheus(prometheus, directory):
    subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1400,2600",
         "--virtual-time-budget=20000", f"--user-data-dir={directory / 'browser'}", f"--screenshot={directory / 'prometheus.png'}",
         graph_page(prometheus)], check=True, capture_output=True, timeout=120)
    shrink(directory / "prometheus.png", IMAGES / "prometheus.png", "-resize", "1100x")


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="xa-", dir="/tmp"))
    port = free_port()
    keys = [("example.org", Key(), 6), ("chat.example.net", Key(), 3), ("example.com", Key(), 1)]
    configuration = Configuration(directory, keys[0][1])
    configuration.set("http", listen=f"127.0.0.1:{port}").set("log", level="error")
    configuration.set("state", dir=directory / "state").set("replay", store="journal").host(isuser="seen")
    for domain, key, _ in keys[1:]:
        configuration.host(domain, key)
    daemon = Daemon(configuration)
    daemon.start(ready=False)
    daemon.await_socket()
    prometheus = Prometheus(directory, port)
    prometheus.start()
    traffic = Traffic(daemon, keys)
    seconds = MINUTES * 60 + 10
    try:
        logins = threading.Thread(target=traffic.run, args=[seconds + 20])
        logins.start()
        take_top(daemon, directory, seconds)
        take_prometheus(prometheus, directory)
        logins.join()
    finally:
        traffic.close()
        prometheus.stop()
        daemon.process.terminate()
        daemon.process.wait()
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
