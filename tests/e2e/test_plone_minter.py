"""Compatibility with the web application's side as it is in the field: the daemon takes tokens as collective.converse makes
them, and the two secrets from the very files that its buildout has them in. Asked over the socket, without a chat server."""

import os
import random
import socket
import struct
import subprocess
import sys
import time

import pyotp
import pytest

from plone_minter import Minter

HOST = "chat.example"
ALICE = f"alice@{HOST}"


def converse(authd, questions):
    """Sends bytes to the daemon, reads until it has answered them all."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(authd.socket))
        connection.sendall(questions)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answers:
            return answers.read()


def ask(authd, jid, token):
    """One login question in ejabberd's framing: whether it was answered yes, and why."""
    user, _, host = jid.partition("@")
    question = f"auth:{user}:{host}:{token}".encode()
    mark = authd.log.mark()
    length, answer = struct.unpack(">HH", converse(authd, struct.pack(">H", len(question)) + question))
    assert length == 2
    return answer == 1, authd.log.events(mark, event="verdict")[-1]["reason"]


@pytest.fixture
def serve(new_authd):
    """serve(settings): a daemon for one host with these settings."""

    def start(**settings):
        it = new_authd()
        it.configure({HOST: settings})
        it.start()
        return it

    return start


def test_a_token_is_allowed_once(serve):
    minter = Minter.with_fresh_secrets()
    authd, token = serve(otp_seed=minter.otp_seed, token_secret=minter.token_secret), minter.mint(ALICE)
    assert ask(authd, ALICE, token) == (True, "allowed")
    assert ask(authd, ALICE, token) == (False, "replayed")


def test_a_thousand_tokens_of_a_thousand_users_are_allowed(serve):
    minter = Minter.with_fresh_secrets()
    authd = serve(otp_seed=minter.otp_seed, token_secret=minter.token_secret)
    users = [f"user{number}" for number in range(1000)]
    questions = "".join(f"auth:{user}:{HOST}:{minter.mint(f'{user}@{HOST}')}\n" for user in users)
    assert converse(authd, questions.encode()) == b"1\n" * len(users)


def test_an_otp_keeps_its_leading_zeros(serve):
    minter = Minter.with_fresh_secrets()
    while not minter.otp(time.time()).startswith("00"):
        minter = Minter.with_fresh_secrets()
    authd = serve(otp_seed=minter.otp_seed, token_secret=minter.token_secret)
    assert ask(authd, ALICE, minter.mint(ALICE)) == (True, "allowed")


# A part of a buildout as sites have it around the two secrets: interpolations, additions, lists on lines of their own, and
# other services' passwords.
REST_OF_A_BUILDOUT = """
[buildout]
extends =
    https://dist.plone.org/release/5.2-latest/versions.cfg
    base.cfg
parts +=
    instance
    zeoserver

[instance]
user = admin:${passwords:admin}
eggs =
    Plone
    collective.converse
zcml-additional =
    <configure xmlns="http://namespaces.zope.org/zope">
      <include package="collective.converse" />
    </configure>

[passwords]
# not for chat
admin = secret; not a comment
ldap = 5%%=x
"""

KINDS = {
    "prosody_ names in Prosody's section": "[prosody.cfg.lua]\nprosody_otp_seed = {}\nprosody_token_secret = {}\n",
    "prosody_ names in no section": "prosody_otp_seed = {}\nprosody_token_secret = {}\n",
    "the names of Prosody's own configuration": "[prosody.cfg.lua]\notp_seed = {}\ntoken_secret = {}\n",
    "in a section of the site's own": "[hosts]\nfront = www\n\n[chat-secrets]\ntoken_secret={1}\notp_seed={0}\n",
    "the values on lines of their own": "[prosody.cfg.lua]\nprosody_otp_seed =\n    {}\nprosody_token_secret =\n    {}\n",
}


@pytest.mark.parametrize("rest", [pytest.param("", id="alone"), pytest.param(REST_OF_A_BUILDOUT, id="in a whole buildout")])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_an_unmodified_secrets_cfg_is_a_secrets_file(new_authd, kind, rest):
    minter, authd = Minter.with_fresh_secrets(), new_authd()
    text = kind.format(minter.otp_seed, minter.token_secret)
    secrets = authd.write("secrets.cfg", rest + text if text.startswith("[") else text + rest)
    authd.configure({HOST: {"secrets_file": secrets}})
    authd.start()
    assert ask(authd, ALICE, minter.mint(ALICE)) == (True, "allowed")


def test_a_seed_of_the_documented_length_needs_leave_and_gets_a_warning(new_authd):
    """collective.converse's instructions make a seed of 16 letters, which are 80 bits."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    seed = "".join(random.choice(letters) for _ in range(16))
    minter, authd = Minter(seed, pyotp.random_base32(length=32)), new_authd()
    authd.configure({HOST: authd.secrets_of(minter)})
    status, complaints = authd.check_configuration()
    assert status == 1 and f"the otp_seed of {HOST} is shorter than 128 bits" in complaints
    assert minter.otp_seed not in complaints

    authd.configure({HOST: authd.secrets_of(minter) | {"allow_weak_secrets": "yes"}})
    authd.expected = [r"otp_seed"]
    authd.start()
    assert ask(authd, ALICE, minter.mint(ALICE)) == (True, "allowed")
    assert authd.log.events(level="warning")


NAIVE_MINTER = """
import datetime, sys, pyotp
service = pyotp.TOTP(sys.stdin.read(), digits=8, interval=30)
print(service.generate_otp(service.timecode(datetime.datetime.utcnow())))
"""


@pytest.mark.parametrize("zone, verdict, bug", [
    ("UTC", (True, "allowed"), None),
    ("Etc/GMT-2", (False, "expired"), "-7200"),
    ("Etc/GMT+5", (False, "early"), "18000"),
    ("<+0530>-5:30", (False, "expired"), "-19800"),
])
def test_the_naive_clock_of_the_well_known_snippet_is_named_as_a_time_zone_bug(serve, zone, verdict, bug):
    """utcnow() has no zone, so pyotp takes it for local time: east of Greenwich its OTPs are old."""
    minter = Minter.with_fresh_secrets()
    authd = serve(otp_seed=minter.otp_seed, token_secret=minter.token_secret)
    run = subprocess.run(
        [sys.executable, "-c", NAIVE_MINTER], input=minter.otp_seed, env=os.environ | {"TZ": zone},
        capture_output=True, text=True, check=True,
    )
    authd.expected = [r"event=minter-clock "]
    for jid in (ALICE, f"bob@{HOST}", f"carol@{HOST}"):
        assert ask(authd, jid, minter.token(run.stdout.strip(), jid)) == verdict
    alerts = authd.log.events(event="minter-clock")
    assert [alert["time_zone_bug_s"] for alert in alerts] == ([bug] if bug else [])
