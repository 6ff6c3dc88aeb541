"""docs/doctor.md names every finding, and no other."""

import re
import subprocess

from site_files import BUILD, ROOT


def test_every_finding_has_a_section_and_each_section_a_finding():
    source = (ROOT / "src" / "doctor" / "findings.c").read_text()
    words = re.findall(r'\[FINDING_\w+\] = \{"([a-z0-9-]+)"', source)
    assert len(words) > 15
    text = (ROOT / "docs" / "doctor.md").read_text()
    assert re.findall(r"^### (.+)$", text, flags=re.MULTILINE) == words


def test_every_finding_can_be_found():
    sources = "".join(path.read_text() for path in (ROOT / "src").glob("[cd]*/*.c") if path.name != "findings.c")
    for identifier in re.findall(r"^    (FINDING_\w+),$", (ROOT / "src" / "doctor" / "findings.h").read_text(), flags=re.MULTILINE):
        assert identifier in sources, identifier


def test_neither_daemon_nor_relay_is_linked_with_the_doctors_libraries():
    def needed(program):
        return subprocess.run(["readelf", "-d", BUILD / program], capture_output=True, text=True, check=True).stdout

    for library in ("libyaml", "liblua", "libcurl", "libjansson"):
        assert library not in needed("xmpp-authd") + needed("xmpp-extauth")
        assert library in needed("xmpp-authctl")
