"""What conf/ejabberd sets, as a client meets it, and that docs/ejabberd.md says the same."""

import base64
import http.client
import pathlib
import re
import socket

from ejabberd_server import SNIPPET
from ejabberd_site import HOST
from xmpp_login import ALLOWED

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "ejabberd.md"

OPEN = f"<stream:stream to='{HOST}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"


def test_before_tls_ejabberd_takes_no_password(site):
    with socket.create_connection(("127.0.0.1", site.ejabberd.port), 20) as connection:
        connection.sendall(OPEN.encode())
        features = b""
        while b"</stream:features>" not in features:
            features += connection.recv(4096)
        assert b"<starttls" in features and b"mechanism" not in features


def test_plain_is_the_one_mechanism(site, authd):
    assert site.mechanisms(f"alice@{HOST}", site.mint(f"alice@{HOST}")) == {"PLAIN"}


class Bosh:
    """A client over HTTP (XEP-0206), as far as to its login."""

    def __init__(self, server):
        self._connection = http.client.HTTPConnection("127.0.0.1", server.bosh_port, timeout=20)
        self._request_id = 1000
        _, answer = self._post(f"to='{HOST}' wait='5' hold='1' ver='1.6' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'")
        self._session = re.search("sid='([^']+)'", answer)[1]

    def _post(self, attributes, content=""):
        self._request_id += 1
        body = f"<body xmlns='http://jabber.org/protocol/httpbind' rid='{self._request_id}' {attributes}>{content}</body>"
        self._connection.request("POST", "/bosh", body, {"Content-Type": "text/xml; charset=utf-8"})
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode()

    def log_in(self, user, password):
        """The HTTP status, and how the login ended if that is 200."""
        plain = base64.b64encode(b"\0" + user.encode() + b"\0" + password).decode()
        content = f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"
        status, outcome = 200, None
        while status == 200 and not outcome:
            status, answer = self._post(f"sid='{self._session}'", content)
            outcome, content = re.search("success|not-authorized|terminate", answer), ""
        self._connection.close()
        return status, outcome and outcome[0]


def test_passwords_that_would_crash_the_pool_end_at_bosh_too(site, authd):
    assert Bosh(site.ejabberd).log_in("alice", site.mint(f"alice@{HOST}").encode()) == (200, "success")
    assert {Bosh(site.ejabberd).log_in("alice", b"x" * 70000) for _ in range(60)} == {(403, None)}
    assert site.log_in_everywhere(HOST) == {ALLOWED}


def settings_of(text):
    """The lines that set something, comments and indentation aside, in order."""
    return [line.strip() for line in text.splitlines() if line.strip(" -") and not line.strip().startswith("#")]


def test_the_document_shows_the_settings_of_the_snippet():
    [shown] = re.findall(r"```yaml\n(hosts:.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert settings_of(shown) == settings_of(SNIPPET.read_text())
