"""The code in the Markdown documents, as an operator would paste it."""

import pathlib
import re
import subprocess
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def code(document, language):
    """(heading, what stands before it, text) of each block in this language."""
    text = (ROOT / document).read_text()
    blocks = []
    for match in BLOCK.finditer(text):
        if match[2] == language:
            before = text[: match.start()]
            heading = re.findall(r"^## (.*)$", before, re.MULTILINE)[-1:]
            labels = re.findall(r"^\*\*(Before|After)\*\*", before[before.rfind("\n## ") :], re.MULTILINE)
            blocks.append((heading[0] if heading else "", labels[-1] if labels else "", textwrap.dedent(match[3])))
    return blocks


def table(document, heading):
    """The first column of the table under this heading."""
    part = (ROOT / document).read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [line.split("|")[1].strip() for line in part.splitlines() if line.startswith("| ")][1:]


def prosodys_findings(directory, text):
    """What Prosody finds in this configuration that it would not find with its own authentication."""
    findings = []
    for provider in ("xmpp_authd", "internal_hashed"):
        configuration = directory / "prosody.cfg.lua"
        modules = text.replace("/usr/local/lib/prosody/modules", str(ROOT / "conf/prosody"))
        configuration.write_text(modules.replace('"xmpp_authd"', f'"{provider}"'))
        command = ["prosodyctl", "--root", "--config", configuration, "check", "config"]
        said = subprocess.run(command, capture_output=True, text=True).stdout
        assert "\nDone.\n" in said, said
        findings.append(said)
    return "" if findings[0] == findings[1] else findings[0]
