"""Chat servers' files with nothing wrong in them, for a site."""

import shutil

from site_files import ROOT
from test_ejabberd import GOOD as EJABBERD
from test_ejabberd import fill


def write_ejabberd(site, program=None):
    """An ejabberd.yml; its program, in place of the relay with its socket."""
    site.configuration.server(group="ejabberd")
    site.write_configuration()
    return site.write("ejabberd.yml", fill(site, EJABBERD.replace("{relay} {socket}", program or "{relay} {socket}")))


def write_prosody(site, host_lines='    authentication = "xmpp_authd"\n'):
    modules = site.directory / "modules"
    if not modules.exists():
        modules.mkdir()
        shutil.copy(ROOT / "conf" / "prosody" / "mod_auth_xmpp_authd.lua", modules)
        shutil.copytree(ROOT / "conf" / "prosody" / "auth_xmpp_authd", modules / "auth_xmpp_authd")
        for path in modules.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
    site.configuration.server(group="prosody")
    site.write_configuration()
    return site.write("prosody.cfg.lua", f'plugin_paths = {{ "{modules}" }}\nVirtualHost "example.org"\n    xmpp_authd_socket = "{site.socket}"\n'
                      + host_lines)


def script(site, name, text):
    path = site.write(name, text)
    path.chmod(0o755)
    return path
