"""docs/browser.md and docs/examples/README.md: what they say is what the example does."""

import os
import re
import subprocess
import urllib.request

import pytest

from document_code import ROOT, code, prosodys_findings, table
from site_servers import PATIENCE, load_tool, wait_until
from web_application import PROGRAM

WEBAPP = PROGRAM.read_text()


def script_settings():
    """What the page's script gives converse.initialize(), a setting a string."""
    body = re.search(r"converse\.initialize\(\{\n(.*?)\n\}\);", WEBAPP, re.DOTALL)[1]
    return [line.strip().rstrip(",") for line in body.splitlines()]


def test_every_setting_of_converse_is_explained():
    explained = [setting.strip("`") for setting in table("docs/browser.md", "The settings of Converse.js")]
    changed = {'websocket_url: "wss://..."': "websocket_url: document.body.dataset.websocket"}
    assert [changed.get(setting, setting) for setting in explained] == script_settings()


def test_the_policy_is_the_one_that_is_sent(new_server_policy):
    [(_, _, text)] = [block for block in code("docs/browser.md", "") if "default-src" in block[2]]
    assert new_server_policy("wss://example.org/xmpp-websocket") == text.strip()


@pytest.fixture
def new_server_policy(tmp_path):
    """The policy of an application with this address of the WebSocket."""
    from test_webapp import SECRETS
    from web_application import WebApplication

    made = []

    def policy(websocket):
        made.append(WebApplication(tmp_path, SECRETS, "--websocket", websocket).start())
        return made[-1].get("/").headers["Content-Security-Policy"]

    yield policy
    for one in made:
        one.stop()


def test_prosody_accepts_its_part(tmp_path):
    [(_, _, text)] = code("docs/browser.md", "lua")
    assert 'authentication = "xmpp_authd"' in text
    assert prosodys_findings(tmp_path, text) == ""


def test_the_commands_of_the_examples_readme_lead_to_a_login_form(build, packages, tmp_path):
    [(_, _, text)] = code("docs/examples/README.md", "sh")
    install, *commands, start = text.strip().splitlines()
    package, version = re.search(r"npm install (.*)@(\S+)$", install).groups()
    assert f'"{package}": "{version}"' in (ROOT / "tests/browser/package.json").read_text()
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    (tmp_path / "webapp.py").symlink_to(PROGRAM)
    environment = {**os.environ, "PATH": f"{build}:/usr/bin:/bin"}
    for command in commands:
        subprocess.run(command, shell=True, check=True, cwd=tmp_path, env=environment)
    port = load_tool("demo-web").free_port()
    log = (tmp_path / "log").open("wb")
    application = subprocess.Popen(f"exec {start} --port {port}", shell=True, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: b"listening" in (tmp_path / "log").read_bytes(), "it listens")
        with urllib.request.urlopen(f"http://localhost:{port}/", timeout=PATIENCE) as page:
            assert b'action="/login"' in page.read()
    finally:
        application.terminate()
        application.wait(PATIENCE)
        log.close()


@pytest.mark.parametrize("document", ["docs/browser.md", "docs/migrate.md", "docs/examples/README.md"])
def test_every_link_leads_somewhere(document):
    path = ROOT / document
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        name, _, fragment = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        assert linked.exists(), target
        if fragment:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
            assert fragment in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings], target


def test_the_picture_is_a_small_png():
    picture = (ROOT / "docs/images/chat.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) < 200_000
