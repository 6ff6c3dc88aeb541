"""The module, the sample configuration and the documentation name the same settings with the same defaults."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULE = (ROOT / "conf/prosody/mod_auth_xmpp_authd.lua").read_text()
SAMPLE = ROOT / "conf/prosody/prosody.cfg.lua.example"
DOCUMENT = (ROOT / "docs/prosody.md").read_text()


def found(pattern, text):
    return dict(re.findall(pattern, text, re.MULTILINE))


READ = found(r'_(?:option_\w+|setting)\("(xmpp_authd_\w+)", (\{.*?\}|[^,)]+)', MODULE)


def test_the_settings_that_are_read():
    assert len(READ) == 8


def test_the_head_of_the_module_names_them():
    assert found(r"^-- +(xmpp_authd_\w+) = (\{.*?\}|\S+)", MODULE) == READ


def test_the_sample_names_them():
    assert found(r"^ +(xmpp_authd_\w+) = (.*)$", SAMPLE.read_text()) == READ


def test_the_documentation_names_them():
    assert found(r"^\| `(xmpp_authd_\w+)` \| `(.*?)` \|", DOCUMENT) == READ


def test_the_sample_is_lua():
    subprocess.run(["lua5.4", "-e", f"assert(loadfile('{SAMPLE}'))"], check=True)
