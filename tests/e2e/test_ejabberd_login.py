"""A user's way in: a token from the web application, sent as the password by an XMPP client, judged by xmpp-authd on behalf
of Debian's ejabberd."""

import pytest

from ejabberd_site import HOST, OTHER_HOST
from xmpp_login import ALLOWED, REFUSED

ALICE, MALLORY = f"alice@{HOST}", f"mallory@{HOST}"


def reason(authd, mark):
    """Why the daemon said what it said to the one question since the mark."""
    [verdict] = authd.log.events(mark, event="verdict")
    return verdict["reason"]


def test_a_token_lets_its_user_in_once(site, authd):
    token = site.mint(ALICE)
    assert site.log_in(ALICE, token) == ALLOWED
    mark = authd.log.mark()
    assert site.log_in(ALICE, token) == REFUSED
    assert reason(authd, mark) == "replayed"


def test_a_spent_token_stays_spent_whatever_comes_after_it(site, authd):
    first, second = site.mint(ALICE), site.mint(ALICE)
    assert site.log_in(ALICE, first) == ALLOWED
    assert site.log_in(ALICE, second) == ALLOWED
    assert site.log_in(ALICE, first) == REFUSED
    assert site.log_in(ALICE, second) == REFUSED


def test_ejabberd_does_not_refuse_a_fresh_token_because_it_remembers_another(site, authd):
    assert [site.log_in(ALICE, site.mint(ALICE)) for _ in range(3)] == [ALLOWED] * 3


def change(text, place):
    """The text with another digit or letter at this place."""
    other = "1" if text[place] == "0" else "0" if text[place].isdigit() else "B" if text[place] == "A" else "A"
    return text[:place] + other + text[place + 1:]


@pytest.mark.parametrize("tamper, expected", [
    pytest.param(lambda token: change(token, 0), "forged", id="first digit of the OTP"),
    pytest.param(lambda token: change(token, 7), "forged", id="last digit of the OTP"),
    pytest.param(lambda token: change(token, 8), "forged", id="first digit of the nonce"),
    pytest.param(lambda token: change(token, 39), "forged", id="last digit of the nonce"),
    pytest.param(lambda token: token[8] + token[:8] + token[9:], "forged", id="a digit moved from the nonce to the OTP"),
    pytest.param(lambda token: token[:39] + token[40:], "malformed", id="a digit too few"),
    pytest.param(lambda token: token[:40] + "7" + token[40:], "malformed", id="a digit too many"),
    pytest.param(lambda token: change(token, 41), "forged", id="first letter of the signature"),
    pytest.param(lambda token: change(token, 82), "forged", id="a late letter of the signature"),
    pytest.param(lambda token: token[:41] + token[41:83].swapcase() + token[83:], "forged", id="other case"),
    pytest.param(lambda token: token[:83] + chr(ord(token[83]) + 1) + "=", "malformed", id="other spelling"),
    pytest.param(lambda token: token[:-1], "malformed", id="signature without its padding"),
    pytest.param(lambda token: token[:40], "malformed", id="no signature"),
    pytest.param(lambda token: token.replace(" ", "\t"), "malformed", id="a tab for the space"),
    pytest.param(lambda token: token.replace(" ", "  "), "malformed", id="two spaces"),
    pytest.param(lambda token: token + " ", "malformed", id="a space behind it"),
    pytest.param(lambda token: token[41:] + " " + token[:40], "malformed", id="halves swapped"),
])
def test_a_token_that_was_tampered_with_is_refused_and_the_true_one_not_spent(site, authd, tamper, expected):
    token, mark = site.mint(ALICE), authd.log.mark()
    assert site.log_in(ALICE, tamper(token).encode()) == REFUSED
    assert reason(authd, mark) == expected
    assert site.log_in(ALICE, token) == ALLOWED


@pytest.mark.parametrize("offset, expected", [
    pytest.param(-3600, "expired", id="an hour old"),
    pytest.param(-90, "expired", id="just too old"),
    pytest.param(90, "early", id="just too early"),
    pytest.param(7200, "early", id="from two hours ahead"),
])
def test_a_token_from_another_time_is_refused_and_the_log_says_how_far_off_its_clock_is(site, authd, offset, expected):
    mark = authd.log.mark()
    assert site.log_in(ALICE, site.mint(ALICE, offset=offset)) == REFUSED
    [verdict] = authd.log.events(mark, event="verdict")
    assert verdict["reason"] == expected
    assert abs(int(verdict["clock_offset_s"]) - offset) <= 45
    assert "time_zone_bug_s" not in verdict  # one token alone proves nothing about the minter's clock


def test_another_users_token_is_refused(site, authd):
    token, mark = site.mint(MALLORY), authd.log.mark()
    assert site.log_in(ALICE, token) == REFUSED
    assert reason(authd, mark) == "forged"
    assert site.log_in(MALLORY, token) == ALLOWED


def test_account_takeover_by_moving_a_digit_is_refused(site, authd):
    """1admin's own token has the signature that a token of admin's would have whose nonce is one digit longer."""
    token, mark = site.mint(f"1admin@{HOST}"), authd.log.mark()
    assert site.log_in(f"admin@{HOST}", token.replace(" ", "1 ")) == REFUSED
    assert reason(authd, mark) == "malformed"


def test_each_host_has_its_own_key(site, authd):
    elsewhere = f"alice@{OTHER_HOST}"
    here_token, elsewhere_token = site.mint(ALICE), site.mint(elsewhere)
    assert site.log_in(elsewhere, here_token) == REFUSED
    assert site.log_in(ALICE, elsewhere_token) == REFUSED
    assert site.log_in(ALICE, here_token) == ALLOWED
    assert site.log_in(elsewhere, elsewhere_token) == ALLOWED


def test_a_token_for_another_host_is_refused_even_if_it_is_made_with_this_hosts_key(site, authd):
    token, mark = site.minters[HOST].mint(f"alice@{OTHER_HOST}"), authd.log.mark()
    assert site.log_in(ALICE, token) == REFUSED
    assert reason(authd, mark) == "forged"


@pytest.mark.parametrize("typed, prepared", [("ALICE", "alice"), ("Straße", "strasse"), ("Älice", "älice")])
def test_the_token_is_for_the_name_as_ejabberd_prepares_it(site, authd, typed, prepared):
    jid, mark = f"{prepared}@{HOST}", authd.log.mark()
    assert site.log_in(jid, site.mint(f"{typed}@{HOST}"), user=typed) == REFUSED
    assert reason(authd, mark) == "forged"
    assert site.log_in(jid, site.mint(jid), user=typed) == ALLOWED


@pytest.mark.parametrize("password", [
    pytest.param(b"secret", id="a password"),
    pytest.param(b"", id="empty"),
    pytest.param(b" ", id="a space"),
    pytest.param(b"  a  b  ", id="spaces"),
    pytest.param(b":", id="a colon"),
    pytest.param(b"a:b:c:d:e", id="colons"),
    pytest.param(b"\n", id="a newline"),
    pytest.param(b"a\r\nb\n", id="lines"),
    pytest.param(b"a\0b", id="a zero byte"),
    pytest.param(b"\x80\xff\xfe\xc3(", id="invalid UTF-8"),
    pytest.param(bytes(range(1, 256)), id="every byte there is"),
    pytest.param(b"x" * 8192, id="8 kB"),
    pytest.param(b"x" * 40000, id="40 kB"),
])
def test_a_hostile_password_is_refused_and_the_pool_lives(site, authd, password):
    assert site.log_in(ALICE, password) == REFUSED
    assert site.log_in_everywhere(HOST) == {ALLOWED}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0", ""])
def test_a_question_cannot_be_smuggled_in_behind_a_password(site, authd, end):
    """A line protocol would read mallory's good token as a second question, and its yes as the answer to the first."""
    token = site.mint(MALLORY)
    smuggled = f"x{end}auth:mallory:{HOST}:{token}{end}".encode()
    assert site.log_in(ALICE, smuggled) == REFUSED
    assert site.log_in(ALICE, smuggled) == REFUSED
    assert site.log_in(MALLORY, token) == ALLOWED


def test_passwords_that_would_crash_the_pool_end_at_the_listener(site, authd):
    """max_stanza_size: a question over 65535 bytes costs ejabberd a whole pool of workers."""
    assert site.log_in_many([(ALICE, b"x" * 70000)] * 60) == ["policy-violation"] * 60
    assert site.log_in_everywhere(HOST) == {ALLOWED}
