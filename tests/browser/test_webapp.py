"""docs/examples/webapp.py over HTTP: what a browser does not show, and what a hostile client would try."""

import importlib.util
import inspect
import json
import pathlib
import re
import subprocess
import sys
import time

import pytest

from web_application import PROGRAM, WebApplication

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED, SECRET = "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U", "2sVQ8n0Jm4kYc7RwXb1uTz5LhPd9GfAe"
SECRETS = f"[prosody.cfg.lua]\nprosody_otp_seed = {SEED}\nprosody_token_secret = {SECRET}\n"
PASSWORDS = {"alice": "correct horse battery", "bob-2.x_y": "pass:word ü"}
TOKEN = re.compile(r"\d{40} [A-Za-z0-9+/]{43}=")


def load(path):
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def new_app(tmp_path_factory):
    """new_app(*options): an application with both users, running."""
    made = []

    def make(*options, files=()):
        it = WebApplication(tmp_path_factory.mktemp("webapp"), SECRETS, *options)
        for name in files:
            (it.assets / name).parent.mkdir(exist_ok=True)
            it.write(it.assets / name, "content")
        if made:
            it.users.write_text(made[0].users.read_text())
        else:
            for name, password in PASSWORDS.items():
                it.new_user(name, password)
        made.append(it)
        return it.start()

    yield make
    for it in made:
        it.stop()
    output = "".join(it.output for it in made)
    assert not TOKEN.search(output), "a token in its output"
    assert not [one for one in (SEED, SECRET, *PASSWORDS.values()) if one in output], "a secret in its output"
    assert "Traceback" not in output, output


@pytest.fixture(scope="module")
def app(new_app):
    return new_app()


@pytest.fixture
def session(app):
    """The cookie of alice, logged in."""
    return app.log_in("alice", PASSWORDS["alice"]).session


# ---- logging in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", PASSWORDS)
def test_a_user_logs_in(app, user):
    answer = app.log_in(user, PASSWORDS[user])
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert f"Hello, {user}" in app.get("/", answer.session).text


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(app):
    cookie = app.log_in("alice", PASSWORDS["alice"]).headers["Set-Cookie"]
    value, *attributes = cookie.split("; ")
    assert sorted(attributes) == ["HttpOnly", "Max-Age=28800", "Path=/", "SameSite=Lax"]
    assert re.fullmatch(r"session=[A-Za-z0-9_-]{43}", value), "fewer than 256 random bits"


def test_the_cookie_of_an_encrypted_site_never_travels_in_the_clear(new_app):
    app = new_app("--origin", "https://www.example.org")
    cookie = app.log_in("alice", PASSWORDS["alice"]).headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=") and cookie.endswith("; Secure")
    assert app.get("/credentials", cookie.split(";")[0]).status == 200


def test_every_login_has_a_session_of_its_own_and_ends_the_one_before(app):
    first = app.log_in("alice", PASSWORDS["alice"])
    second = app.log_in("alice", PASSWORDS["alice"], session=first.session)
    assert first.session != second.session
    assert app.get("/session", first.session).status == 401
    assert app.get("/session", second.session).status == 204


def test_a_session_from_before_the_login_is_not_taken_over(app):
    """A cookie that another site managed to plant stays worthless."""
    planted = "session=" + "a" * 43
    app.log_in("alice", PASSWORDS["alice"], session=planted)
    assert app.get("/session", planted).status == 401


@pytest.mark.parametrize("origin", [
    None, "null", "", "https://evil.example", "{origin}.evil.example", "https{tail}", "http://127.0.0.1", "http://localhost", "{origin}/",
])
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_forms_of_other_sites_are_refused(app, session, path, origin):
    origin = origin and origin.format(origin=app.origin, tail=app.origin.removeprefix("http"))
    body = f"user=alice&password={PASSWORDS['alice']}"
    answer = app.post(path, session, body=body, Origin=origin)
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers
    assert app.get("/session", session).status == 204


@pytest.mark.parametrize("user, password", [
    ("alice", "wrong"), ("alice", ""), ("nobody", "wrong"), ("", ""), ("Alice", PASSWORDS["alice"]), ("alice ", PASSWORDS["alice"]),
    ("alice\0", PASSWORDS["alice"]), ("alice@localhost", PASSWORDS["alice"]), ("ALICE", PASSWORDS["alice"]), ("älice", "wrong"),
    ("<b>", "wrong"), ("a" * 65, "wrong"), ("alice", PASSWORDS["bob-2.x_y"]),
])
def test_a_login_that_does_not_fit_says_nothing_more(app, user, password):
    answer = app.log_in(user, password)
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers
    assert answer.body == app.log_in("alice", "wrong").body


@pytest.mark.parametrize("name", ["Alice", "al ice", "alice@x", "al/ice", "älice", "", "al:ice", "alice\n", "a" * 65])
def test_a_name_that_a_chat_server_would_change_is_nobodys(app, tmp_path, name):
    made = WebApplication.run("--new-user", name, input="password\n")
    assert made.returncode != 0 and made.stdout == ""
    users = tmp_path / "users"
    users.write_text(f"{name}:00:00\n")
    started = WebApplication.run("--secrets", app.secrets, "--users", users)
    assert started.returncode != 0 and str(users) in started.stderr


def test_a_users_file_holds_no_password(app):
    text = app.users.read_text()
    assert not [one for one in PASSWORDS.values() if one in text or one.encode().hex() in text]
    names, salts, hashes = zip(*(line.split(":") for line in text.splitlines()))
    assert list(names) == list(PASSWORDS)
    assert all(len(salt) == 32 for salt in salts) and all(len(one) == 128 for one in hashes)
    assert WebApplication.run("--new-user", "alice", input=PASSWORDS["alice"]).stdout not in text, "the salt is not random"


# ---- credentials ----------------------------------------------------------------------------------------------------


def test_credentials_are_fresh_each_time_and_good_for_the_daemon(app, session, build):
    passwords = []
    for _ in range(3):
        answer = app.get("/credentials", session)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
        credentials = json.loads(answer.body)
        assert credentials.keys() == {"jid", "password"}
        assert credentials["jid"] == "alice@localhost"
        assert TOKEN.fullmatch(credentials["password"])
        passwords.append(credentials["password"])
        checked = check(build, app, credentials["jid"], credentials["password"])
        assert checked.returncode == 0, checked.stdout
    assert len(set(passwords)) == 3


def test_credentials_are_good_for_nobody_else(app, session, build):
    password = json.loads(app.get("/credentials", session).body)["password"]
    checked = check(build, app, "bob@localhost", password)
    assert checked.returncode == 1 and checked.stdout.startswith("deny forged")


def check(build, app, jid, token):
    """What xmpp-authctl, with the same secrets.cfg, says of a token."""
    return subprocess.run(
        [build / "xmpp-authctl", "check", jid, "-", "--secrets", app.secrets], input=token, capture_output=True, text=True,
    )


def test_credentials_follow_the_domain(new_app):
    app = new_app("--domain", "chat.example.org")
    answer = app.get("/credentials", app.log_in("alice", PASSWORDS["alice"]).session)
    assert json.loads(answer.body)["jid"] == "alice@chat.example.org"


@pytest.mark.parametrize("cookie", [
    None, "", "session=", "session=" + "x" * 43, "other=1", "session", "session=\xff", 'session="a', ";;=;", "session=a, session=b",
])
def test_without_a_session_the_answer_is_401_and_no_redirect(app, cookie):
    answer = app.get("/credentials", cookie)
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (401, "application/json", b"{}")
    assert "Location" not in answer.headers


def test_no_credentials_after_the_logout(app, session):
    answer = app.post("/logout", session)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert app.get("/credentials", session).status == 401
    assert 'action="/login"' in app.get("/", session).text


def test_no_credentials_after_the_session_has_expired(new_app):
    app = new_app("--session-lifetime", 1)
    session = app.log_in("alice", PASSWORDS["alice"]).session
    deadline = time.monotonic() + 20
    while app.get("/credentials", session).status != 401:  # asking does not prolong it
        assert time.monotonic() < deadline, "the session does not end"
        time.sleep(0.05)


def test_no_cache_keeps_a_token_and_no_other_site_reads_it(app, session):
    answer = app.get("/credentials", session, Origin="https://evil.example")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert app.ask("OPTIONS", "/credentials", Origin="https://evil.example").status == 501


def test_credentials_are_not_given_to_a_post(app, session):
    assert app.post("/credentials", session).status == 404


# ---- the pages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/credentials", "/session", "/chat.js", "/site.css", "/nowhere", "/converse/nothing"])
def test_every_answer_has_the_content_security_policy(new_app, path):
    app = new_app("--websocket", "wss://chat.example.org:5281/xmpp-websocket?a=b")
    policy = app.get(path).headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy
    assert "img-src 'self' data: blob:" in policy
    assert "connect-src 'self' wss://chat.example.org:5281" in policy
    assert "frame-ancestors 'none'" in policy


def test_no_script_stands_in_a_page(app, session):
    for page in (app.get("/").text, app.get("/", session).text):
        assert not re.search(r"<script(?![^>]* src=)| on\w+=", page)


def test_the_address_of_the_websocket_can_not_leave_its_attribute(new_app):
    app = new_app("--websocket", 'ws://localhost/"><script src=x></script>')
    page = app.get("/", app.log_in("alice", PASSWORDS["alice"]).session).text
    assert "<script src=x>" not in page


@pytest.mark.parametrize("name", [
    "../secrets.cfg", "%2e%2e/secrets.cfg", "..%2fsecrets.cfg", "/etc/passwd", "%2fetc%2fpasswd", ".%00./secrets.cfg", "", ".", "%ff",
    pytest.param("a" * 5000, id="too long for a file name"), "../dist/converse.min.js",
])
def test_only_files_of_the_chat_client_are_served(app, name):
    answer = app.get(f"/converse/{name}")
    assert (answer.status, answer.body) == (404, b"There is no such page.\n")


def test_files_of_the_chat_client_have_the_type_that_browsers_insist_on(new_app):
    kinds = {"a.js": "text/javascript; charset=utf-8", "a.css": "text/css; charset=utf-8", "below/a.wasm": "application/wasm"}
    app = new_app(files=kinds)
    for name, kind in kinds.items():
        answer = app.get(f"/converse/{name}")
        assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, kind, b"content")


def test_a_directory_without_the_chat_client_is_refused(app, tmp_path):
    started = WebApplication.run("--secrets", app.secrets, "--users", app.users, "--converse", tmp_path)
    assert started.returncode != 0 and started.stderr.startswith(f"{tmp_path}: ")


@pytest.mark.parametrize("length", ["4097", "999999999999", "-1", "+5", "ten", "", "0x10", "²"])
def test_a_form_of_a_length_that_no_browser_sends_is_no_login(app, length):
    answer = app.ask("POST", "/login", b"user=alice", Origin=app.origin, Content_Length=length.encode())
    assert answer.status == 403


def test_a_silent_client_holds_up_nobody(app):
    silent = [app.connect() for _ in range(20)]
    for one in silent:
        one.connect()
        one.sock.sendall(b"POST /login HTTP/1.1\r\nOrigin: " + app.origin.encode() + b"\r\nContent-Length: 100\r\n\r\nuser=")
    assert app.get("/").status == 200
    for one in silent:
        one.close()


# ---- secrets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    SECRETS,
    f"[host localhost]\notp_seed = {SEED}\ntoken_secret = {SECRET}\n",
    f"otp_seed={SEED}\ntoken_secret={SECRET}\n",
    f"prosody_otp_seed = {SEED}\n[other]\nparts =\n    one\n    two\nprosody_token_secret = {SECRET}\npercent = %(x)s ${{y}}\n",
    f"# comment\n[a]\notp_seed = {SEED}\n[b]\notp_seed = {SEED}\ntoken_secret = {SECRET}\nalone\n",
])
def test_secrets_are_read_as_the_daemon_reads_them(tmp_path, text):
    path = tmp_path / "secrets.cfg"
    path.write_text(text)
    assert load(PROGRAM).read_secrets(path) == [SEED, SECRET]


@pytest.mark.parametrize("text, says", [
    ("", "no otp_seed"),
    (f"otp_seed = {SEED}\n", "no token_secret"),
    (f"otp_seed =\ntoken_secret = {SECRET}\n", "no otp_seed"),
    (f"[a]\notp_seed = {SEED}\ntoken_secret = {SECRET}\n[b]\ntoken_secret = another\n", "more than one token_secret"),
    (f"otp_seed = {SEED}!\ntoken_secret = {SECRET}\n", "otp_seed is not base32"),
    (f"[a\n= {SECRET}\n", "not in the format of secrets.cfg"),
])
def test_what_is_wrong_with_secrets_is_said_without_showing_them(app, tmp_path, text, says):
    path = tmp_path / "secrets.cfg"
    path.write_text(text)
    started = WebApplication.run("--secrets", path, "--users", app.users)
    assert started.returncode != 0
    assert started.stderr == f"{path}: {says}\n"


def test_the_secrets_file_can_be_named_in_the_environment(tmp_path):
    path = tmp_path / "secrets.cfg"
    path.write_text(SECRETS)
    started = WebApplication.run("--users", "/nonexistent", env={"WEBAPP_SECRETS": str(path)})
    assert "/nonexistent" in started.stderr and str(path) not in started.stderr, "it came as far as the users"


def test_no_secret_stands_on_the_command_line_or_in_the_environment(app, session):
    app.get("/credentials", session)
    for name in ("cmdline", "environ"):
        content = pathlib.Path(f"/proc/{app.pid}/{name}").read_text()
        assert not [one for one in (SEED, SECRET, *PASSWORDS.values()) if one in content]


# ---- minting --------------------------------------------------------------------------------------------------------


def test_it_mints_as_the_shorter_example_does():
    application, short = load(PROGRAM), load(ROOT / "docs/examples/mint.py")
    for name in ("one_time_password", "mint"):
        assert inspect.getsource(getattr(application, name)) == inspect.getsource(getattr(short, name))


def test_it_mints_the_published_vectors(monkeypatch):
    application = load(PROGRAM)
    lines = (ROOT / "tests/vectors/token-v1.tsv").read_text().splitlines()
    names = lines[0].split("\t")
    vectors = [dict(zip(names, line.split("\t"))) for line in lines[1:]]
    usual = {"otp_digits": "8", "interval": "30", "nonce_digits": "32", "otp_hash": "sha1", "signature_hash": "sha256"}
    vectors = [vector for vector in vectors if usual.items() <= vector.items()]
    assert len(vectors) >= 4
    for vector in vectors:
        monkeypatch.setattr(application.time, "time", lambda: float(vector["time"]))
        monkeypatch.setattr(application.secrets, "randbelow", lambda bound: int(vector["nonce"]))
        token = application.mint(vector["user"], vector["host"], vector["otp_seed"], vector["token_secret"])
        assert token == vector["token"], vector["name"]


def test_it_needs_nothing_but_the_standard_library():
    imported = re.findall(r"^(?:import|from) (\w+)", PROGRAM.read_text(), re.MULTILINE)
    assert imported and set(imported) <= set(sys.stdlib_module_names)
