"""What only the chat server itself could know: the doctor says of each place that it does not, and makes no guess."""

import pytest

PROSODY = """\
local later = os.getenv("X")
plugin_paths = { later }
modules_enabled = { "saslauth", "tls" }
VirtualHost "example.org"
    c2s_require_encryption = later; allow_unencrypted_plain_auth = true
    authentication = "xmpp_authd"
    xmpp_authd_socket = later
    disable_sasl_mechanisms = { later }
VirtualHost "example.info"
    authentication = "xmpp_authd"
    xmpp_authd_socket = "/run/a.sock"
    xmpp_authd_connections = later
VirtualHost "example.com"
    authentication = "external"
    external_auth_command = later
VirtualHost "example.net"
    authentication = "external"
    external_auth_command = "/bin/true"
"""

EJABBERD = """\
hosts: [example.org]
auth_method: "@LATER@"
extauth_program: "@LATER@"
extauth_pool_size: "@LATER@"
disable_sasl_mechanisms: "@LATER@"
auth_use_cache: "@LATER@"
listen:
  -
    port: 5222
    module: ejabberd_c2s
    starttls_required: "@LATER@"
    max_stanza_size: 65536
  -
    port: 5280
    module: ejabberd_http
    request_handlers: "@LATER@"
  - "@LATER@"
"""

# name: (the chat server, its file, what is said to be unknown: line and a part of the text)
UNKNOWN = {
    "prosody": ("--prosody", PROSODY, {
        1: "only Prosody can", 2: "where mod_auth_xmpp_authd.lua may be", 5: "asks for encryption", 7: "xmpp_authd_socket of example.org",
        8: "which SASL mechanisms example.org offers", 12: "xmpp_authd_connections of example.info",
        15: "external_auth_command of example.com", 18: "/bin/true is not xmpp-extauth"}),
    "ejabberd": ("--ejabberd", EJABBERD, {
        2: "auth_method of example.org", 3: "extauth_program of example.org", 4: "extauth_pool_size of example.org",
        5: "which SASL mechanisms example.org offers", 6: "the cache of logins", 9: "this listener", 14: "this listener",
        17: "this listener"}),
}


@pytest.mark.parametrize("server", UNKNOWN)
def test_each_place_that_is_not_known_is_named(site, server):
    option, text, expected = UNKNOWN[server]
    for host in ("example.com", "example.info", "example.net"):
        site.configuration.host(host, site.configuration.key)
    site.write_configuration()
    path = site.write("server.conf", text)
    findings, status = site.doctor(option, path)
    said = [(int(finding["line"]), finding["what"]) for finding in findings if finding["finding"] == "could-not-judge" and "line" in finding]
    missing = [(line, part) for line, part in expected.items() if not any(line == at and part in what for at, what in said)]
    assert not missing, "\n".join(map(str, [missing, *said]))
    assert status in (1, 3)
