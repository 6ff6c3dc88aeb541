"""Tokens and secrets are seen by nobody. Every test's end looks for them in the daemon's log, at the level of debug, and on all
command lines; the session's end looks in all that ejabberd wrote. Here the looking is done while logins are on their way."""

import asyncio
import base64

from ejabberd_site import HOST
from processes import command_lines, naps, running
from secrecy import secrets_in
from xmpp_login import ALLOWED, REFUSED, Gate, log_in


def test_the_search_would_find_a_token_however_it_is_wrapped(site):
    token = site.mint(f"alice@{HOST}")
    for user in ("a", "al", "ali"):
        plain = base64.b64encode(f"\0{user}\0{token}".encode())
        assert secrets_in(b"received <auth>" + plain + b"</auth>")
    assert secrets_in(b"xmpp-extauth\0" + token.encode() + b"\0")
    assert secrets_in(b"signature=" + token[41:].encode())
    assert secrets_in(b"otp_seed=" + site.minters[HOST].otp_seed.encode())
    assert not secrets_in(b"xmpp-extauth\0/run/xmpp-authd/auth.sock\0")


def test_no_command_line_shows_a_token_or_a_secret_while_logins_are_on_their_way(site, authd):
    async def scenario():
        users = [f"user{number}@{HOST}" for number in range(8)]
        gate = Gate()
        authd.pause()
        logins = [asyncio.create_task(log_in(site.ejabberd, jid, site.mint(jid), gate=gate)) for jid in users]
        await gate.crowd(len(users))
        before = site.relay_naps()
        gate.open()
        async with asyncio.timeout(20):
            while sum(naps(pid) > count for pid, count in before.items()) < site.POOL_SIZE:
                await asyncio.sleep(0.005)
        looked_at = dict(command_lines())
        authd.resume()
        return looked_at, set(await asyncio.gather(*logins))

    looked_at, outcomes = asyncio.run(scenario())
    assert outcomes == {ALLOWED}
    assert {authd.process.pid, site.ejabberd.pid, *running(site.relay)} <= set(looked_at)
    assert not secrets_in(b"\n".join(looked_at.values()))


def test_refused_tokens_are_no_more_to_be_seen_than_good_ones(site, authd):
    for jid, owner, offset in (("alice", "alice", -3600), ("alice", "mallory", 0), ("alice", "alice", 3600)):
        assert site.log_in(f"{jid}@{HOST}", site.mint(f"{owner}@{HOST}", offset=offset)) == REFUSED
    assert len(authd.log.events(event="verdict")) == 3
