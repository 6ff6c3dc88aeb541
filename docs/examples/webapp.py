#!/usr/bin/env python3
"""A web application whose users chat: login form, session, the credentials for the chat client, the page with it.

xmpp-authd needs two things of an application: mint(), and a handler that gives a fresh token to whoever has a session
(Handler.credentials). A third, the page's script below, keeps the chat and the session together. All else here stands in
for what your application has already. Nothing but Python's standard library is needed; README.md beside this file has the
commands.
"""

import argparse
import base64
import binascii
import configparser
import getpass
import hashlib
import hmac
import html
import http.cookies
import http.server
import json
import mimetypes
import os
import pathlib
import re
import secrets
import sys
import threading
import time
import urllib.parse

# ---- the token ------------------------------------------------------------------------------------------------------


def one_time_password(otp_seed, seconds):
    """RFC 6238 with 8 digits, 30 s and SHA-1: the same as pyotp.TOTP(otp_seed, digits=8).at(seconds)."""
    seed = base64.b32decode(otp_seed + "=" * (-len(otp_seed) % 8), casefold=True)
    mac = hmac.digest(seed, (int(seconds) // 30).to_bytes(8, "big"), "sha1")
    start = mac[-1] & 15
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**8:08d}"


def mint(user, host, otp_seed, token_secret):
    """A token that logs user in to host once, if it is used within half a minute. Both names are in lower case."""
    otp = one_time_password(otp_seed, time.time())
    nonce = f"{secrets.randbelow(10**32):032d}"
    message = f"{otp}{nonce}{user}@{host}"
    signature = hmac.digest(token_secret.encode(), message.encode(), "sha256")
    return f"{otp}{nonce} {base64.b64encode(signature).decode()}"


def read_secrets(path):
    """The otp_seed and the token_secret in a secrets.cfg, in whatever section, with Plone's prefix or without."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string("[top]\n" + pathlib.Path(path).read_text())
    except configparser.Error:  # its message quotes the line, which may be a secret
        sys.exit(f"{path}: not in the format of secrets.cfg")
    found = []
    for name in ("otp_seed", "token_secret"):
        values = {section.get(prefix + name) for section in parser.values() for prefix in ("", "prosody_")} - {None, ""}
        if len(values) != 1:
            sys.exit(f"{path}: {'no' if not values else 'more than one'} {name}")
        found += values
    try:
        one_time_password(found[0], 0)
    except (binascii.Error, ValueError):
        sys.exit(f"{path}: otp_seed is not base32")
    return found


# ---- users and sessions: your application has its own ---------------------------------------------------------------

# A chat server folds case and refuses some characters. What it changes would be another user's name: let it change nothing.
USER_NAME = re.compile(r"[a-z0-9._-]{1,64}")


def hash_password(password, salt):
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


class Users:
    """Who may log in: a file with a line NAME:SALT:HASH for each, as --new-user prints them."""

    def __init__(self, path):
        self._hashes = {}
        self._turn = threading.Lock()
        for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
            name, *rest = line.split(":")
            try:
                salt, password_hash = map(bytes.fromhex, rest)
            except ValueError:
                sys.exit(f"{path}:{number}: not a line that --new-user has printed")
            if not USER_NAME.fullmatch(name):
                sys.exit(f"{path}:{number}: user names are made of a-z 0-9 . _ -")
            self._hashes[name] = salt, password_hash

    @staticmethod
    def line(name, password):
        salt = os.urandom(16)
        return f"{name}:{salt.hex()}:{hash_password(password, salt).hex()}"

    def accepts(self, name, password):
        """Takes the same time for a name that nobody has."""
        salt, password_hash = self._hashes.get(name, (bytes(16), os.urandom(64)))
        with self._turn:  # scrypt takes 16 MiB: one at a time
            return hmac.compare_digest(hash_password(password, salt), password_hash)


class Sessions:
    """Who is logged in: random identifiers that end after a fixed time, used or not."""

    def __init__(self, lifetime):
        self.lifetime = lifetime
        self._sessions = {}
        self._turn = threading.Lock()

    def begin(self, user):
        identifier, now = secrets.token_urlsafe(32), time.monotonic()
        with self._turn:
            self._sessions = {key: (name, end) for key, (name, end) in self._sessions.items() if end > now}
            self._sessions[identifier] = user, now + self.lifetime
        return identifier

    def user(self, identifier):
        """None unless there is such a session."""
        with self._turn:
            user, end = self._sessions.get(identifier, (None, 0))
        return user if end > time.monotonic() else None

    def end(self, identifier):
        with self._turn:
            self._sessions.pop(identifier, None)


# ---- the pages ------------------------------------------------------------------------------------------------------

LOGIN_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Log in</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/site.css">
<form id="login" method="post" action="/login">
  <h1>Log in</h1>
  <p role="alert">{message}</p>
  <label>Name <input name="user" autocomplete="username" autocapitalize="none" required autofocus></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button>Log in</button>
</form>
"""

CHAT_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Chat</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/converse/converse.min.css">
<link rel="stylesheet" href="/site.css">
<script type="module" src="/chat.js"></script>
<body data-websocket="{websocket}">
<header>
  <strong>Your site</strong>
  <span>{user}, chat: <span id="state" role="status">connecting</span></span>
  <form id="logout" method="post" action="/logout"><button>Log out</button></form>
</header>
<main>
  <h1>Hello, {user}</h1>
  <p>You are logged in to this site, and with that to the chat.</p>
</main>
<dialog id="ended">
  <p>Your session has ended.</p>
  <p><a href="/">Log in again</a></p>
</dialog>
"""

CHAT_SCRIPT = """import converse from "/converse/converse.min.js";

const REFUSALS_UNTIL_SAID = 3;
const SESSION_CHECK_MS = 30000;

let chat;
let ended = false;
let failures = 0;

function show(state) {
    document.getElementById("state").textContent = state;
}

// The chat goes with the session: whoever is logged out of the site is logged out of the chat, and its messages are removed.
function endSession() {
    if (ended) return;
    ended = true;
    show("your session has ended");
    document.getElementById("ended").showModal();
    chat?.user.logout();
}

async function checkSession() {
    const answer = await fetch("/session").catch(() => null);
    if (answer?.status === 401) endSession();
}

converse.plugins.add("site-session", {
    initialize() {
        chat = this._converse.api;
        // Converse asks for credentials again and again, whatever the answer is. 401 means that it need not.
        chat.listen.on("beforeFetchLoginCredentials", (context, request) => {
            if (ended) return new Promise(() => {});
            request.addEventListener("load", () => request.status === 401 && endSession());
            return request;
        });
        for (const event of ["connected", "reconnected"]) {
            chat.listen.on(event, () => {
                failures = 0;
                show("online");
            });
        }
        chat.listen.on("will-reconnect", () => {
            failures += 1;
            if (!ended) show(failures < REFUSALS_UNTIL_SAID ? "connecting" : "no connection to the chat: trying again");
        });
    },
});

converse.initialize({
    authentication: "login",
    auto_login: true,
    credentials_url: "/credentials",
    websocket_url: document.body.dataset.websocket,
    discover_connection_methods: false,
    reuse_scram_keys: false,
    persistent_store: "sessionStorage",
    clear_cache_on_logout: true,
    allow_logout: false,
    allow_registration: false,
    render_media: false,
    assets_path: "/converse/",
    view_mode: "overlayed",
    show_controlbox_by_default: true,
    whitelisted_plugins: ["site-session"],
});

document.getElementById("logout").addEventListener("submit", async (event) => {
    event.preventDefault();
    await Promise.race([chat?.user.logout(), new Promise((resolve) => setTimeout(resolve, 2000))]);
    event.target.submit();
});

setInterval(checkSession, SESSION_CHECK_MS);
document.addEventListener("visibilitychange", () => document.hidden || checkSession());
"""

STYLE = """body { font: 16px/1.5 sans-serif; margin: 0; }
#login { max-width: 20em; margin: 10vh auto; padding: 1em; }
#login label, #login input { display: block; width: 100%; box-sizing: border-box; margin-bottom: 0.5em; }
header { display: flex; gap: 2em; align-items: center; padding: 0.5em 1em; background: #dde6ee; }
#logout { margin: 0 0 0 auto; }
main { padding: 0 1em; }
dialog { text-align: center; padding: 2em; }
dialog::backdrop { background: rgb(255 255 255 / 0.9); }
"""

# ---- the server -----------------------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    timeout = 10  # seconds without a byte
    server_version = "webapp"
    sys_version = ""

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path.startswith("/converse/"):
            return self.asset(path.removeprefix("/converse/"))
        pages = {
            "/": self.home,
            "/credentials": self.credentials,
            "/session": self.session_state,
            "/chat.js": lambda: self.answer(200, CHAT_SCRIPT, "text/javascript"),
            "/site.css": lambda: self.answer(200, STYLE, "text/css"),
        }
        pages.get(path, self.not_found)()

    def do_POST(self):
        # A browser says which site a form comes from, and no page can make it lie. Without this, another site could log
        # its visitor in here, under a name of its own choice.
        if self.headers["Origin"] != self.server.origin:
            return self.answer(403, f"This form works at {self.server.origin} alone.\n", "text/plain")
        {"/login": self.log_in, "/logout": self.log_out}.get(self.path, self.not_found)()

    # -- what xmpp-authd is about --

    def credentials(self):
        """Converse.js asks here before every login, and gets a fresh token each time: a token is good once.

        Without a session the answer is 401. A redirect to the login form would be followed, and the form taken for
        credentials. There is no CORS header, so no page of another site can read the answer.
        """
        user = self.user()
        if not user:
            return self.answer(401, "{}", "application/json")
        domain = self.server.domain
        password = mint(user, domain, *self.server.secrets)
        self.answer(200, json.dumps({"jid": f"{user}@{domain}", "password": password}), "application/json")

    def session_state(self):
        self.answer(204 if self.user() else 401)

    # -- what any application has --

    def home(self):
        user = self.user()
        if not user:
            return self.answer(200, LOGIN_PAGE.format(message=""))
        self.answer(200, CHAT_PAGE.format(user=user, websocket=html.escape(self.server.websocket)))

    def log_in(self):
        form = self.form()
        user, password = form.get("user", ""), form.get("password", "")
        if not USER_NAME.fullmatch(user) or not self.server.users.accepts(user, password):
            return self.answer(403, LOGIN_PAGE.format(message="That name and password don't fit."))
        self.server.sessions.end(self.session_identifier())
        self.redirect_home(self.server.sessions.begin(user), self.server.sessions.lifetime)

    def log_out(self):
        self.server.sessions.end(self.session_identifier())
        self.redirect_home("", 0)

    def redirect_home(self, session, lifetime):
        # HttpOnly: no script can read it. SameSite: no other site's request carries it.
        cookie = f"{self.server.cookie}={session}; Path=/; Max-Age={lifetime}; HttpOnly; SameSite=Lax"
        secure = "; Secure" if self.server.is_https else ""
        self.answer(303, headers={"Location": "/", "Set-Cookie": cookie + secure})

    def user(self):
        return self.server.sessions.user(self.session_identifier())

    def session_identifier(self):
        try:
            cookies = http.cookies.SimpleCookie(self.headers["Cookie"])
        except http.cookies.CookieError:
            return None
        return cookies[self.server.cookie].value if self.server.cookie in cookies else None

    def form(self):
        """The fields of the form that was sent; none of one that is too long."""
        length = self.headers["Content-Length"] or "0"
        if not length.isascii() or not length.isdigit() or int(length) > 4096:
            return {}
        return dict(urllib.parse.parse_qsl(self.rfile.read(int(length)).decode("utf-8", "replace")))

    def asset(self, name):
        """A file of Converse.js."""
        path = self.server.assets.get(urllib.parse.unquote(name))
        if not path:
            return self.not_found()
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self.answer(200, path.read_bytes(), kind, {"Cache-Control": "max-age=3600"})

    def not_found(self):
        self.answer(404, "There is no such page.\n", "text/plain")

    def answer(self, status, body=b"", kind="text/html", headers=None):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        fields = {
            "Content-Type": kind + ("; charset=utf-8" if kind.startswith("text/") else ""),
            "Content-Length": len(body),
            "Cache-Control": "no-store",
            "Content-Security-Policy": self.server.policy,
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "same-origin",  # no-referrer would take the Origin from our own forms
            "X-Content-Type-Options": "nosniff",
        }
        for name, value in (fields | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def find_assets(directory):
    """The files below the directory by their relative paths: what is not listed here can't be asked for."""
    assets = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    if "converse.min.js" not in assets:
        sys.exit(f"{directory}: this is not the dist directory of npm's converse.js")
    return assets


class Server(http.server.ThreadingHTTPServer):
    """On loopback alone: a reverse proxy with TLS stands before it."""

    request_queue_size = 128

    def __init__(self, options):
        self.secrets = read_secrets(options.secrets)
        self.users = Users(options.users)
        self.sessions = Sessions(options.session_lifetime)
        self.assets = find_assets(pathlib.Path(options.converse))
        self.domain, self.websocket = options.domain, options.websocket
        super().__init__(("127.0.0.1", options.port), Handler)
        self.origin = options.origin or f"http://localhost:{self.server_port}"
        self.is_https = self.origin.startswith("https:")
        self.cookie = "__Host-session" if self.is_https else "session"
        socket_origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(self.websocket))
        self.policy = "; ".join((
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "media-src 'self'",
            f"connect-src 'self' {socket_origin}",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ))

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):  # a browser may go away at any time
            super().handle_error(request, client_address)


def arguments():
    parser = argparse.ArgumentParser(description="A web application whose users chat.")
    parser.add_argument("--new-user", metavar="NAME", help="read a password, print a line for --users, and exit")
    parser.add_argument("--secrets", metavar="FILE", default=os.environ.get("WEBAPP_SECRETS", "secrets.cfg"),
                        help="file with otp_seed and token_secret; default: $WEBAPP_SECRETS, or secrets.cfg")
    parser.add_argument("--users", metavar="FILE", default="users", help="who may log in; default: users")
    parser.add_argument("--converse", metavar="DIR", default="node_modules/converse.js/dist",
                        help="the dist directory of npm's converse.js")
    parser.add_argument("--domain", default="localhost", help="the XMPP domain of the users")
    parser.add_argument("--websocket", metavar="URL", default="ws://localhost:5280/xmpp-websocket",
                        help="where the chat server listens for browsers")
    parser.add_argument("--port", type=int, default=8080, help="to listen on, on 127.0.0.1")
    parser.add_argument("--origin", metavar="URL", help="the site as browsers know it; default: http://localhost:PORT")
    parser.add_argument("--session-lifetime", metavar="SECONDS", type=int, default=8 * 3600)
    return parser.parse_args()


def main():
    options = arguments()
    if options.new_user is not None:
        if not USER_NAME.fullmatch(options.new_user):
            sys.exit("user names are made of a-z 0-9 . _ -")
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        return print(Users.line(options.new_user, password))
    with Server(options) as server:
        print(f"listening at {server.origin}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
