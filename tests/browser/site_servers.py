"""The servers of tools/demo-web, with a proxy between browser and chat server that can cut connections."""

import importlib.machinery
import importlib.util
import pathlib
import re
import time

from cutting_proxy import CuttingProxy

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 30  # seconds; only ever reached where a test fails


def load_tool(name):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(ROOT / "tools" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Site(load_tool("demo-web").Demonstration):
    web_port = websocket_port = 0  # any: other tests, and a demonstration, may run beside

    def run(self):
        """Starts it; returns when it is ready."""
        self.start_daemon()
        self.proxy = CuttingProxy(self.start_prosody())
        self.address = self.start_web_application(self.proxy.port)

    def stop(self):
        super().stop()
        self.proxy.close()

    def log_lines(self, name):
        return self.log(name).read_text(errors="replace").splitlines()

    def mark(self):
        """The end of the daemon's log, for verdicts()."""
        return len(self.log_lines("xmpp-authd"))

    def verdicts(self, user, mark):
        """The reasons of the verdicts on this user's logins since the mark."""
        events = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in self.log_lines("xmpp-authd")[mark:]]
        wanted = {"event": "verdict", "question": "auth", "user": user}.items()
        return [event["reason"] for event in events if wanted <= event.items()]

    def complaints(self):
        """The lines in which a server reports a warning or an error."""
        daemon = [line for line in self.log_lines("xmpp-authd") if re.search("level=(warning|error)", line)]
        prosody = [line for line in self.log_lines("prosody") if re.search(r"\t(warn|error)\t", line)]
        webapp = [line for line in self.log_lines("webapp") if "Error" in line or "Traceback" in line]
        return daemon + prosody + webapp


def wait_until(is_so, what):
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"it did not come to be: {what}"
        time.sleep(0.05)
