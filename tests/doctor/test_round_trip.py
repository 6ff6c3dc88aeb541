"""The doctor's own logins, through the real relay and the real daemon; and what it says when they go wrong."""

import signal

import pytest

from harness.clients import LengthClient

from chat_servers import script, write_ejabberd, write_prosody
from site_files import ROOT, names

USER = "<xmpp-authctl-doctor>"


def ways(site):
    ask = script(site, "ask", f"#!{site.relay} {site.socket}\n")
    return {
        "ejabberd": lambda: ("--ejabberd", write_ejabberd(site)),
        "prosody": lambda: ("--prosody", write_prosody(site)),
        "terminal": lambda: ("--prosody", write_prosody(
            site, f'    authentication = "external"\n    external_auth_command = "{ask}"\n')),
    }


@pytest.mark.parametrize("way", ["ejabberd", "prosody", "terminal"])
def test_a_token_is_let_in_once_and_a_tampered_one_never(site, way):
    arguments = ways(site)[way]()
    site.configuration.host(isuser="seen")
    site.configuration.set("log", level="debug")
    daemon = site.start()
    assert site.doctor(*arguments, offline=False, ignore="clock,terminal-route") == ([], 0)
    daemon.await_event("verdict", 3)
    assert [(record["reason"], record["user"]) for record in daemon.records if "reason" in record] == [
        ("allowed", USER), ("replayed", USER), ("forged", USER)]
    with LengthClient(site.socket) as client:
        assert client.ask(f"auth:bob:example.org:{site.configuration.key.mint('bob@example.org')}", "isuser:bob:example.org",
                          f"isuser:{USER}:example.org") == ["yes", "yes", "no"]


def test_a_host_that_accepts_version_2_alone(site):
    path = write_ejabberd(site)
    site.configuration.host(accept="v2")
    daemon = site.start()
    assert site.doctor("--ejabberd", path, offline=False) == ([], 0)
    daemon.await_event("verdict", 3)
    assert [record["reason"] for record in daemon.records if "reason" in record] == ["allowed", "replayed", "forged"]


def test_the_relay_is_run_as_the_servers_user_and_nothing_shows_a_token(site):
    site.directory.chmod(0o777)
    tee = script(site, "tee", f"#!/bin/sh\nid -un >{site.directory}/who\ntee {site.directory}/asked | {site.relay} {site.socket}\n")
    path = write_ejabberd(site, str(tee))
    daemon = site.start()
    result = site.run("-c", site.directory / "xmpp-authd.conf", "--ignore", "clock", "--ejabberd", path)
    assert (site.directory / "who").read_text() == "ejabberd\n"
    asked = (site.directory / "asked").read_bytes()
    assert asked.count(b"auth:" + USER.encode() + b":example.org:") == 3
    tokens = {part[:85].decode() for part in asked.split(b":example.org:")[1:]}
    assert len(tokens) == 2
    written = result.stdout + result.stderr + b"".join(daemon.raw).decode()
    assert not any(token in written or token.split(" ")[1] in written for token in tokens)


# name: (the program, the findings)
PROGRAMS = {
    "says yes to everything": ("#!/bin/sh\nprintf '\\000\\002\\000\\001\\000\\002\\000\\001\\000\\002\\000\\001'\ncat >/dev/null\n", 2),
    "says no to everything": ("#!/bin/sh\nprintf '\\000\\002\\000\\000\\000\\002\\000\\000\\000\\002\\000\\000'\ncat >/dev/null\n", 1),
    "ends at once": ("#!/bin/sh\nexit 0\n", 1),
    "says something else": ("#!/bin/sh\necho hello\ncat >/dev/null\n", 1),
}


@pytest.mark.parametrize("row", PROGRAMS)
def test_a_program_that(site, row):
    text, count = PROGRAMS[row]
    path = write_ejabberd(site, str(script(site, "program", text)))
    site.start()
    findings, status = site.doctor("--ejabberd", path, offline=False, ignore="clock,could-not-judge")
    assert [found["finding"] for found in findings] == ["round-trip"] * count, findings
    assert status == 1 and all(found["line"] for found in findings)
    assert site.doctor("--ejabberd", write_ejabberd(site), offline=False) == ([], 0)


def test_a_daemon_that_is_away(site):
    path = write_ejabberd(site)
    findings, status = site.doctor("--ejabberd", path, offline=False)
    assert (names(findings), status) == (["daemon-away"], 1)
    site.start()
    assert site.doctor("--ejabberd", path, offline=False) == ([], 0)


@pytest.mark.parametrize("change", ["key", "host", "setting"])
def test_a_daemon_that_has_not_read_its_file_since(site, change):
    path = write_ejabberd(site)
    daemon = site.start()
    if change == "key":
        site.configuration.host(key=type(site.configuration.key)())
    elif change == "host":
        site.configuration.host("example.com", type(site.configuration.key)())
    else:
        site.configuration.server(max_connections=2000)
    site.write_configuration()
    ignore = "clock,host-not-asked"
    findings, _ = site.doctor("--ejabberd", path, offline=False, ignore=ignore)
    assert names(findings) == (["daemon-differs", "round-trip"] if change == "key" else ["daemon-differs"])
    daemon.signal(signal.SIGHUP)
    daemon.await_event("reloaded")
    assert site.doctor("--ejabberd", path, offline=False, ignore=ignore) == ([], 0)


def test_a_daemon_that_has_just_started(site):
    site.configuration.set("replay", after_restart="refuse")
    path = write_ejabberd(site)
    site.start()
    findings, status = site.doctor("--ejabberd", path, offline=False)
    assert (names(findings), status) == (["could-not-judge"], 3)
    assert "just started" in findings[0]["what"]


@pytest.mark.parametrize("way", ["ejabberd", "prosody"])
def test_a_socket_that_the_server_can_not_open(site, way):
    arguments = ways(site)[way]()
    site.configuration.server(group="root")
    site.start()
    findings, _ = site.doctor(*arguments, offline=False)
    assert names(findings) == ["round-trip", "socket-access"]


def test_no_client_can_have_the_doctors_name():
    """RFC 6122's nodeprep forbids both marks around it; the name is the one in the documents."""
    header = (ROOT / "src" / "doctor" / "round_trip.h").read_text()
    assert f'#define ROUND_TRIP_USER "{USER}"' in header
    assert set(USER) & set("\"&'/:<>@")
    assert USER in (ROOT / "docs" / "doctor.md").read_text()
