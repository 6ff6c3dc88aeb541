"""A small XMPP client on asyncio, for what a well-behaved library would not do: hundreds of logins at once, odd SASL
messages, connections that vanish."""

import asyncio
import base64
import ssl
import time
import xml.etree.ElementTree as ElementTree

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
STREAMS = "http://etherx.jabber.org/streams"
CLIENT = "jabber:client"

PATIENCE = 20  # seconds; only ever reached where a test fails


def plain_message(user, token, authzid=""):
    """RFC 4616: what PLAIN, SASL-HMAC and X-TOKEN all send."""
    return "\0".join((authzid, user, token)).encode()


def trusting_context():
    """TLS with whoever answers. (Not the default context: that reads every certificate authority there is.)"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Denied(Exception):
    """A login that was refused; the argument is the SASL condition."""


class Client:
    def __init__(self, reader, writer, host):
        self._reader, self._writer, self.host = reader, writer, host
        self.mechanisms, self.jid = set(), None

    @classmethod
    async def connect(cls, port, host, tls=False):
        """Opens the stream, to the point where the mechanisms are offered."""
        self = cls(*await asyncio.open_connection("127.0.0.1", port), host)
        features = await self._open_stream()
        if tls:
            self.send(f"<starttls xmlns='{TLS}'/>")
            await self.receive(f"{{{TLS}}}proceed")
            await self._writer.start_tls(trusting_context(), server_hostname=host)
            features = await self._open_stream()
        self.mechanisms = {m.text for m in features.iter(f"{{{SASL}}}mechanism")}
        return self

    @classmethod
    async def login(cls, port, host, user, token, mechanism="PLAIN", resource="test", tls=False):
        """A session with its resource bound; raises Denied."""
        self = await cls.connect(port, host, tls=tls)
        try:
            condition = await self.authenticate(plain_message(user, token), mechanism)
            if condition:
                raise Denied(condition)
            await self.bind(resource)
            return self
        except BaseException:
            await self.close()
            raise

    async def _open_stream(self):
        self._parser = ElementTree.XMLPullParser(("start", "end"))
        self._events = iter(())
        self._depth, self._root = 0, None
        self.send(
            f"<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAMS}' to='{self.host}' version='1.0'>"
        )
        return await self.receive(f"{{{STREAMS}}}features")

    def send(self, text):
        self._writer.write(text.encode())

    async def next_element(self):
        """The next element of the stream, within PATIENCE."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for event, element in self._parser.read_events():
                    self._depth += 1 if event == "start" else -1
                    if event == "start" and self._depth == 1:
                        self._root = element
                    elif event == "end" and self._depth == 1:
                        self._root.clear()
                        return element
                data = await self._reader.read(65536)
                if not data:
                    raise ConnectionError("the server closed the stream")
                self._parser.feed(data)

    async def receive(self, tag, **attributes):
        """The next element with this tag and these attributes; others are passed over."""
        while True:
            element = await self.next_element()
            if element.tag == tag and all(element.get(name) == value for name, value in attributes.items()):
                return element

    async def authenticate(self, message, mechanism="PLAIN"):
        """Sends the message (bytes); returns None when let in, or the condition of the failure."""
        self.send_auth(message, mechanism)
        return await self.verdict()

    def send_auth(self, message, mechanism="PLAIN"):
        encoded = base64.b64encode(message).decode() if message is not None else ""
        self.send(f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{encoded}</auth>")

    async def verdict(self):
        """The outcome of the oldest <auth/> without one."""
        while True:
            element = await self.next_element()
            if element.tag == f"{{{SASL}}}success":
                return None
            if element.tag == f"{{{SASL}}}failure":
                return element[0].tag.split("}")[1]

    async def bind(self, resource="test"):
        await self._open_stream()
        self.send(f"<iq type='set' id='bind'><bind xmlns='{BIND}'><resource>{resource}</resource></bind></iq>")
        result = await self.receive(f"{{{CLIENT}}}iq", id="bind")
        self.jid = result.find(f".//{{{BIND}}}jid").text
        return self.jid

    async def ping(self):
        """Seconds that the server took to answer."""
        began = time.monotonic()
        self.send("<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>")
        await self.receive(f"{{{CLIENT}}}iq", id="ping")
        return time.monotonic() - began

    def vanish(self):
        """Ends the connection without a word, as a machine that loses power."""
        self._writer.transport.abort()

    async def close(self):
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            pass
