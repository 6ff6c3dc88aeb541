"""What check-minter finds wrong with a web application, a row for each way to get it wrong; and that it is silent about the
project's own example, and about one that does it right."""

import http.client
import http.server
import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest

from harness import confidential
from harness.minter import Key, steady
from site_files import ROOT, names, parse_logfmt

sys.path.append(str(ROOT / "tests" / "browser"))

from web_application import WebApplication  # noqa: E402

COOKIE = "session=0123456789abcdef0123456789abcdef"
JID = "alice@example.org"
HTML = b"<html><form>Please log in</form></html>"


class Minter:
    """A web application that does it right, unless a test changes something."""

    def __init__(self, key):
        self.key = key
        self.stranger = (401, {}, b"")
        self.status, self.headers, self.jid, self.shift = 200, {"Cache-Control": "private, no-store"}, JID, 0
        self.token = lambda: self.key.mint(self.jid, time=time.time() + self.shift)
        self.body = lambda: json.dumps({"jid": self.jid, "password": self.token()}).encode()
        self.requests = []

    def answer(self, cookie):
        self.requests.append(cookie)
        return (self.status, self.headers, self.body()) if cookie == COOKIE else self.stranger

    def serve(self, context=None):
        minter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                status, headers, body = minter.answer(self.headers["Cookie"])
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return f"{'https' if context else 'http'}://localhost:{self.server.server_port}/credentials"


@pytest.fixture
def minter(site):
    made = Minter(site.configuration.key)
    site.write_configuration()
    confidential.keep(COOKIE.split("=")[1])
    yield made
    if hasattr(made, "server"):
        made.server.shutdown()
        made.server.server_close()


def check(site, url, *arguments, cookie=COOKIE):
    """Its findings, its exit status, and the fingerprint that it tells."""
    if "--secrets" not in arguments:
        arguments = ("-c", site.directory / "xmpp-authd.conf", *arguments)
    result = site.run(*arguments, "--logfmt", url, command="check-minter", input=cookie + "\n")
    lines = [parse_logfmt(line) for line in result.stdout.splitlines()]
    keys = [line["minter_key"] for line in lines if "minter_key" in line]
    return [line for line in lines if "finding" in line], result.returncode, keys


def change(**values):
    return lambda minter: minter.__dict__.update(values)


def mint_once(minter):
    steady(30, 5)
    token = minter.token()
    minter.token = lambda: token


def other_secret(minter):
    minter.key = Key(seed=minter.key.seed)


def other_seed(minter):
    minter.key = Key(secret=minter.key.secret)


def endless(minter):
    minter.body = lambda: b" " * (1 << 20)


# name: (what is wrong, the findings, words of the last one)
BROKEN = {
    "a redirect to the login form": (change(stranger=(303, {"Location": "/login?token=secret"}, b"")), ["minter-redirect"], "303"),
    "a login form in place of 401": (change(stranger=(200, {}, HTML)), ["minter-no-401"], "is 200, not 401"),
    "forbidden in place of 401": (change(stranger=(403, {}, b"")), ["minter-no-401"], "is 403, not 401"),
    "credentials for anybody": (lambda minter: change(stranger=(200, minter.headers, minter.body()))(minter), ["minter-open"], "anybody"),
    "an answer that may be cached": (change(headers={}), ["minter-cacheable"], "caches"),
    "an answer that is cached a little": (change(headers={"Cache-Control": "max-age=0, no-storage"}), ["minter-cacheable"], "caches"),
    "an answer for other sites": (
        change(headers={"cache-control": "NO-STORE", "Access-Control-Allow-Origin": "*"}), ["minter-cross-origin"], "CORS"),
    "a session that is not known": (change(status=500), ["minter-refuses"], "is 500"),
    "a session that is over": (change(status=302), ["minter-redirect"], "with the cookie"),
    "HTML": (change(body=lambda: HTML), ["minter-shape"], "no JSON object"),
    "a list": (change(body=lambda: b"[]"), ["minter-shape"], "no JSON object"),
    "JSON and more": (lambda minter: change(body=lambda old=minter.body: old() + b"x")(minter), ["minter-shape"], "no JSON object"),
    "no password": (change(body=lambda: b'{"jid": "alice@example.org"}'), ["minter-shape"], "password"),
    "a password that is a number": (change(body=lambda: b'{"jid": "alice@example.org", "password": 1}'), ["minter-shape"], "no text"),
    "no jid": (change(body=lambda: b'{"username": "alice@example.org"}'), ["minter-shape"], "jid"),
    "a resource": (change(jid=f"{JID}/converse"), ["minter-jid"], "no bare JID"),
    "a name alone": (change(jid="alice"), ["minter-jid"], "no bare JID"),
    "upper case": (change(jid="Alice@example.org"), ["minter-jid"], "upper case"),
    "another domain": (change(jid="alice@example.com"), ["host-not-served"], "example.com"),
    "the same token twice": (mint_once, ["minter-same-token"], "good once"),
    "another secret": (other_secret, ["minter-token"], "forged"),
    "another seed": (other_seed, ["minter-token"], "wrong-otp"),
    "no token": (change(token=iter(["sesame-of-alice", "sesame-of-bob"]).__next__), ["minter-token"], "malformed"),
    "a clock in another time zone": (change(shift=-7200), ["minter-clock"], "half hours"),
    "a clock that is ahead": (change(shift=300), ["minter-clock"], "ahead"),
    "a clock that is a little behind": (change(shift=-30), ["minter-clock"], "behind"),
    "an endless answer": (endless, ["minter-away"], "longer"),
}


def test_it_has_nothing_to_say_about_a_good_one_and_names_its_key(site, minter):
    findings, status, keys = check(site, minter.serve())
    assert (findings, status) == ([], 0)
    listed = site.run("-c", site.directory / "xmpp-authd.conf", "--control", "/nowhere", command="keys").stdout
    assert keys[0] in listed and len(keys[0]) == 16
    assert minter.requests == [None, COOKIE, COOKIE]


@pytest.mark.parametrize("row", BROKEN)
def test_it_finds(site, minter, row):
    spoil, expected, words = BROKEN[row]
    spoil(minter)
    findings, status, _ = check(site, minter.serve())
    assert names(findings) == expected and status == 1, findings
    assert words in findings[-1]["what"] and findings[-1]["mend"]
    assert "login?token" not in str(findings)


def test_no_name_moves_the_cursor(site, minter):
    minter.jid = "alice@m\u00fcnchen\u009b2j.example.org"
    result = site.run("-c", site.directory / "xmpp-authd.conf", minter.serve(), command="check-minter", input=COOKIE + "\n")
    assert "no [host m\u00fcnchen?2j.example.org]" in result.stdout and "\u009b" not in result.stdout


def test_tokens_of_version_2_are_judged_too(site, minter):
    site.configuration.host(accept="v2")
    site.write_configuration()
    mint = ["-c", site.directory / "xmpp-authd.conf", "--v2", JID]
    minter.token = lambda: subprocess.run(
        [site.directory / "xmpp-authctl", "mint", *mint], capture_output=True, text=True, check=True).stdout.rstrip()
    findings, status, keys = check(site, minter.serve())
    assert (findings, status, len(keys)) == ([], 0, 1)


def test_without_a_cookie_half_of_it_is_not_judged(site, minter):
    findings, status, _ = check(site, minter.serve(), cookie="")
    assert (names(findings), status, minter.requests) == (["could-not-judge"], 3, [None])


def test_the_cookie_may_be_the_whole_header_and_is_no_argument(site, minter):
    assert check(site, minter.serve(), cookie=f"Cookie: {COOKIE}\r")[:2] == ([], 0)
    assert minter.requests[1:] == [COOKIE, COOKIE]


def test_secrets_may_stand_in_the_applications_own_file(site, minter):
    secrets = site.write("secrets.cfg", f"[secrets]\notp_seed = {minter.key.seed}\ntoken_secret = {minter.key.secret}\n")
    secrets.chmod(0o600)
    findings, status, keys = check(site, minter.serve(), "--secrets", secrets)
    assert (findings, status, len(keys)) == ([], 0, 1)


def test_a_certificate_is_verified(site, minter):
    certificate, key = site.directory / "cert.pem", site.directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    url = minter.serve(context)
    findings, status, _ = check(site, url)
    assert (names(findings), status, minter.requests) == (["minter-away"], 1, [])
    assert check(site, url, "--cacert", certificate)[:2] == ([], 0)


def test_nobody_at_home(site, minter):
    findings, status, _ = check(site, "http://127.0.0.1:1/credentials")
    assert (names(findings), status) == (["minter-away"], 1)


@pytest.mark.parametrize("url, expected", [
    ("http://chat.invalid/", ["minter-away", "minter-unencrypted"]), ("http://localhost.invalid/", ["minter-away", "minter-unencrypted"]),
    ("http://127.0.0.1.invalid/", ["minter-away", "minter-unencrypted"]), ("https://chat.invalid/", ["minter-away"])])
def test_a_cookie_is_not_to_travel_unencrypted(site, minter, url, expected):
    assert names(check(site, url)[0]) == expected


def test_an_application_that_never_answers_is_given_up(site, minter):
    release = threading.Event()
    minter.answer = lambda cookie: release.wait() and minter.stranger
    url = minter.serve()
    began = time.monotonic()
    findings, _, _ = check(site, url)
    release.set()
    assert names(findings) == ["minter-away"] and time.monotonic() - began < 50


@pytest.mark.parametrize("arguments, words", [
    (["ftp://localhost/"], "https://"), (["file:///etc/passwd"], "https://"), ([], "needs URL"),
    (["--secrets", "-", "http://localhost/"], "standard input is the cookie's"), (["--ignore", "x", "http://localhost/"], "--ignore")])
def test_a_wrong_command_line_ends_in_2(site, minter, arguments, words):
    result = site.run(*arguments, command="check-minter", input="\n")
    assert (result.returncode, result.stdout) == (2, "") and words in result.stderr


def test_the_projects_own_example_is_fine(site, tmp_path):
    key = site.configuration.key
    site.write_configuration()
    application = WebApplication(tmp_path, f"otp_seed = {key.seed}\ntoken_secret = {key.secret}\n", "--domain", "example.org")
    application.new_user("alice", "correct horse battery")
    application.start()
    try:
        address = urllib.parse.urlsplit(application.origin)
        connection = http.client.HTTPConnection("127.0.0.1", address.port)
        connection.request("POST", "/login", urllib.parse.urlencode({"name": "alice", "user": "alice", "password": "correct horse battery"}),
                           {"Content-Type": "application/x-www-form-urlencoded", "Origin": application.origin, "Host": address.netloc})
        answer = connection.getresponse()
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        confidential.keep(cookie.split("=")[1])
        assert check(site, f"{application.origin}/credentials", cookie=cookie)[:2] == ([], 0)
        assert names(check(site, f"{application.origin}/credentials", cookie="session=x")[0]) == ["minter-refuses"]
    finally:
        application.stop()
