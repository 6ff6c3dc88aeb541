"""Bytes in, bytes out: both framings, the order of answers, and questions of every shape."""

import random
import struct

import pytest

from harness.clients import FRAMINGS, NO, TRY_AGAIN, YES, LengthClient, LineClient, auth, isuser
from harness.minter import Key, random_digits

ALICE = "alice@example.org"
MAX_REQUEST = 8191
CONTROL_BYTES = [bytes([value]) for value in (*range(0x20), 0x7F)]


@pytest.fixture
def known(configuration, start):
    """A daemon to which alice and bob are the only users, so that yes and no can be told apart without tokens."""
    users = configuration.directory / "users"
    users.write_text("alice\nbob\n")
    configuration.host(isuser=f"file:{users}")
    return start()


# --- framing


def test_both_framings_on_one_socket(daemon, configuration):
    with LineClient(daemon.socket) as lines, LengthClient(daemon.socket) as lengths:
        for _ in range(3):
            token = configuration.key.mint(ALICE)
            assert lines.ask(auth(ALICE, token)) == YES
            assert lengths.ask(auth(ALICE, token)) == NO
            token = configuration.key.mint(ALICE)
            assert lengths.ask(auth(ALICE, token)) == YES
            assert lines.ask(auth(ALICE, token)) == NO


def test_the_answers_byte_by_byte(known):
    with LineClient(known.socket) as client:
        client.send(b"isuser:alice:example.org\nisuser:mallory:example.org\n")
        assert client.receive(4) == b"1\n0\n"
    with LengthClient(known.socket) as client:
        client.send(b"\0\x18isuser:alice:example.org\0\x1aisuser:mallory:example.org")
        assert client.receive(8) == b"\0\2\0\1\0\2\0\0"


def test_a_listener_of_its_own_asks_the_same_authority(configuration, start):
    other = configuration.listener("other")
    daemon = start()
    token = configuration.key.mint(ALICE)
    with LineClient(other) as there, LineClient(daemon.socket) as here:
        assert there.ask(auth(ALICE, token)) == YES
        assert here.ask(auth(ALICE, token)) == NO


def test_a_pinned_listener_does_not_look_at_the_first_byte(configuration, start):
    lines = configuration.listener("lines", protocol="generic")
    lengths = configuration.listener("lengths", protocol="ejabberd")
    start()
    with LineClient(lines) as client:
        # As a line this begins with two control bytes: malformed, and the next line is heard.
        client.send(LengthClient.encode(isuser(ALICE)) + b"\n")
        assert client.answers(1) == [NO]
        assert client.ask(isuser(ALICE)) == YES
    with LengthClient(lengths) as client:
        # As a length "is" is 26995: too long.
        client.send(isuser(ALICE) + b"\n")
        assert client.rest() == [NO]


@pytest.mark.parametrize("count", [10_000])
def test_thousands_of_questions_in_one_write_are_answered_in_order(known, configuration, framing, count):
    chance = random.Random(1)
    questions, expected = [], []
    for _ in range(count):
        kind = chance.randrange(4)
        if kind == 0:
            questions.append(isuser(ALICE))
            expected.append(YES)
        elif kind == 1:
            questions.append(isuser("mallory@example.org"))
            expected.append(NO)
        elif kind == 2:
            questions.append(auth(ALICE, configuration.key.mint(ALICE)))
            expected.append(YES)
        else:
            questions.append(b"nonsense")
            expected.append(NO)
    with framing(known.socket) as client:
        assert client.ask(*questions) == expected


def test_one_byte_at_a_time(known, framing):
    questions = [isuser(ALICE), isuser("mallory@example.org"), isuser("bob@example.org")]
    with framing(known.socket) as client:
        for byte in b"".join(framing.encode(question) for question in questions):
            client.await_taken()
            client.send(bytes([byte]))
        assert client.answers(3) == [YES, NO, YES]


def test_split_at_every_position(known, framing):
    stream = b"".join(framing.encode(isuser(jid)) for jid in (ALICE, "mallory@example.org", "bob@example.org"))
    for position in range(1, len(stream)):
        with framing(known.socket) as client:
            client.send(stream[:position])
            client.await_taken()
            client.send(stream[position:])
            assert client.answers(3) == [YES, NO, YES], f"split at {position}"


def test_a_half_close_gets_every_answer_and_then_the_end(known, framing):
    with framing(known.socket) as client:
        client.write(*[isuser(ALICE), isuser("mallory@example.org")] * 2000)
        client.end()
        assert client.rest() == [YES, NO] * 2000


def test_a_half_close_in_the_middle_of_a_question_gets_the_answers_before_it(known, framing):
    stream = framing.encode(isuser(ALICE))
    with framing(known.socket) as client:
        client.send(stream * 3 + stream[:-1])
        client.end()
        assert client.rest() == [YES] * 3


def test_a_client_that_sends_nothing_and_half_closes_is_closed(daemon, framing):
    with framing(daemon.socket) as client:
        client.end()
        assert client.rest() == []


def test_a_carriage_return_before_the_line_feed_is_dropped_and_no_other(known):
    with LineClient(known.socket) as client:
        client.send(b"isuser:alice:example.org\r\n" b"isuser:alice:example.org\r\r\n" b"isuser:alice\r:example.org\n")
        assert client.answers(3) == [YES, NO, NO]


def test_with_length_framing_line_ends_are_control_bytes(known):
    with LengthClient(known.socket) as client:
        assert client.ask(isuser(ALICE) + b"\n", isuser(ALICE) + b"\r\n", isuser(ALICE)) == [NO, NO, YES]


def test_a_client_that_vanishes_at_any_moment_harms_nobody(known, framing):
    stream = b"".join(framing.encode(isuser(jid)) for jid in (ALICE, "mallory@example.org"))
    with framing(known.socket) as witness:
        for position in range(len(stream) + 1):
            for half_close_first in (False, True):
                client = framing(known.socket)
                client.send(stream[:position])
                if half_close_first:
                    client.end()
                client.close()
        assert witness.ask(isuser(ALICE), isuser("mallory@example.org")) == [YES, NO]
    known.await_status(lambda status: status["connections"]["open"] == "0")


# --- size


def padded(size):
    """A question about a user that exists, and a password that fills the question up to a size."""
    question = b"auth:alice:example.org:"
    return question + b"x" * (size - len(question))


@pytest.mark.parametrize("limit", [128, 1000, MAX_REQUEST])
def test_a_question_of_max_request_bytes_is_heard(configuration, start, framing, limit):
    configuration.server(max_request=limit)
    daemon = start()
    with framing(daemon.socket) as client:
        assert client.ask(padded(limit), padded(limit - 1), isuser(ALICE)) == [NO, NO, YES]


@pytest.mark.parametrize("limit", [128, 1000, MAX_REQUEST])
def test_the_limit_does_not_count_the_line_end(configuration, start, limit):
    configuration.server(max_request=limit)
    daemon = start()
    with LineClient(daemon.socket) as client:
        client.send(padded(limit) + b"\r\n" + isuser(ALICE) + b"\n")
        assert client.answers(2) == [NO, YES]


@pytest.mark.parametrize("limit", [128, 1000, MAX_REQUEST])
@pytest.mark.parametrize("excess", [1, 2, 20_000])
def test_a_longer_question_is_denied_and_the_connection_closed(configuration, start, framing, limit, excess):
    configuration.server(max_request=limit)
    daemon = start()
    with framing(daemon.socket) as client:
        client.write(isuser(ALICE), isuser(ALICE), padded(limit + excess), isuser(ALICE))
        assert client.rest() == [YES, YES, NO]
    assert daemon.status()["verdicts"]["auth", "malformed"] == 1


def test_a_line_without_end_is_denied_before_it_ends(daemon):
    with LineClient(daemon.socket) as client:
        client.send(padded(MAX_REQUEST + 2))
        assert client.rest() == [NO]


def test_a_length_too_great_is_denied_before_its_bytes_come(daemon):
    with LengthClient(daemon.socket) as client:
        client.send(LengthClient.encode(isuser(ALICE)) + struct.pack(">H", MAX_REQUEST + 1))
        assert client.rest() == [YES, NO]


def test_a_first_byte_from_0x20_on_begins_a_line(daemon):
    with LineClient(daemon.socket) as client:
        client.send(b" \n")
        assert client.answers(1) == [NO]


def test_a_first_byte_below_0x20_begins_a_length(daemon):
    with LengthClient(daemon.socket) as client:
        client.send(b"\n\0" + b"x" * 0x0A00 + LengthClient.encode(isuser(ALICE)))
        assert client.answers(2) == [NO, YES]


# --- questions


MALFORMED = {
    "empty": b"",
    "a word": b"auth",
    "a word and a colon": b"auth:",
    "an unknown command": b"login:alice:example.org:x",
    "a command in capitals": b"ISUSER:alice:example.org",
    "a command with a blank before it": b" isuser:alice:example.org",
    "a command that is only begun": b"isuse:alice:example.org",
    "a command that goes on": b"isuserx:alice:example.org",
    "no host": b"isuser:alice",
    "no password": b"auth:alice:example.org",
    "an empty user": b"isuser::example.org",
    "an empty host": b"isuser:alice:",
    "an empty user with a password": b"auth::example.org:x",
    "an empty host with a password": b"auth:alice::x",
    "a user with @": b"isuser:alice@example.org:example.org",
    "a host with @": b"isuser:alice:@example.org",
    "a user with /": b"isuser:alice/home:example.org",
    "a host with /": b"isuser:alice:example.org/home",
    "a host with a colon": b"isuser:alice:example.org:5222",
    "colons alone": b":::::",
    "features of another kind": b"features:everything",
    "features with more": b"features:tryagain:",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_denied_and_the_connection_goes_on(daemon, framing, name):
    with framing(daemon.socket) as client:
        assert client.ask(isuser(ALICE), MALFORMED[name], isuser(ALICE)) == [YES, NO, YES]
    assert daemon.status()["verdicts"]["auth", "malformed"] == 1


def test_every_control_byte_in_every_field_is_malformed(daemon, configuration):
    fields = [b"auth", b"alice", b"example.org", configuration.key.mint(ALICE).encode()]
    questions = []
    for control in CONTROL_BYTES:
        for field in range(4):
            for position in (0, len(fields[field]) // 2, len(fields[field])):
                changed = fields[field][:position] + control + fields[field][position:]
                questions.append(b":".join(fields[:field] + [changed] + fields[field + 1 :]))
        questions.append(b"isuser:al" + control + b"ice:example.org")
        questions.append(b"isuser:alice:example" + control + b".org")
    with LengthClient(daemon.socket) as client:
        assert client.ask(*questions, isuser(ALICE)) == [NO] * len(questions) + [YES]
        # What is malformed taught the daemon nothing: the token is fresh.
        assert client.ask(b":".join(fields)) == YES
    assert daemon.status()["verdicts"]["auth", "malformed"] == len(questions)


def test_every_control_byte_in_a_line_is_malformed(daemon):
    controls = [control for control in CONTROL_BYTES if control != b"\n"]
    with LineClient(daemon.socket) as client:
        answers = client.ask(*[b"isuser:al" + control + b"ice:example.org" for control in controls], isuser(ALICE))
    assert answers == [NO] * len(controls) + [YES]


def test_names_are_bytes_compared_exactly(daemon, configuration, framing):
    with framing(daemon.socket) as client:
        for user in ("jürgen", "例", "a b", "quo\"te", "back\\slash", "x" * 1023, "1", "%s%n", "="):
            jid = user + "@example.org"
            token = configuration.key.mint(jid)
            assert client.ask(auth("other@example.org", token), auth(jid, token)) == [NO, YES], user
        # Bytes that are no UTF-8.
        jid = b"\xff\xfe\x80@example.org"
        assert client.ask(auth(jid, configuration.key.mint(jid))) == YES
        # Case matters: servers ask in lower case.
        assert client.ask(isuser("alice@EXAMPLE.ORG"), auth("ALICE@example.org", configuration.key.mint(ALICE))) == [NO, NO]


@pytest.mark.parametrize("command", ["setpass", "tryregister", "removeuser3", "certauth"])
def test_questions_with_a_password_that_are_never_answered_yes(daemon, configuration, framing, command):
    token = configuration.key.mint(ALICE).encode()
    with framing(daemon.socket) as client:
        assert client.ask(command.encode() + b":alice:example.org:" + token, isuser(ALICE)) == [NO, YES]
        assert client.ask(auth(ALICE, token)) == YES  # it was not spent by the other question
    assert daemon.status()["verdicts"]["auth", "unsupported"] == 1


def test_removeuser_is_never_answered_yes(daemon, framing):
    with framing(daemon.socket) as client:
        assert client.ask(b"removeuser:alice:example.org", isuser(ALICE)) == [NO, YES]
    assert daemon.status()["verdicts"]["auth", "unsupported"] == 1


def test_the_password_alone_may_hold_colons(daemon, framing):
    with framing(daemon.socket) as client:
        assert client.ask(auth(ALICE, "a:b:c::"), b"setpass:alice:example.org:a:b", b"removeuser:alice:example.org:x") == [NO] * 3
    verdicts = daemon.status()["verdicts"]
    assert verdicts == {("auth", "malformed"): 2, ("auth", "unsupported"): 1}


# --- try again


TRY_AGAIN_FEATURE = b"features:tryagain"


@pytest.fixture
def starting(configuration, start):
    """A daemon that can't decide yet: it refuses tokens minted before its start."""
    configuration.set("replay", after_restart="refuse")
    return start()


def test_who_asks_for_it_first_is_told_to_try_again(starting, configuration):
    with LengthClient(starting.socket) as client:
        assert client.ask(TRY_AGAIN_FEATURE) == YES
        assert client.ask(auth(ALICE, configuration.key.mint(ALICE)), isuser(ALICE)) == [TRY_AGAIN, YES]
        # All other denials stay what they are.
        assert client.ask(auth(ALICE, "no token"), TRY_AGAIN_FEATURE, isuser("a@else.where")) == [NO] * 3
    # On that connection alone.
    with LengthClient(starting.socket) as client:
        assert client.ask(auth(ALICE, configuration.key.mint(ALICE))) == NO


def test_in_the_same_write_as_the_login(starting, configuration):
    with LengthClient(starting.socket) as client:
        assert client.ask(TRY_AGAIN_FEATURE, auth(ALICE, configuration.key.mint(ALICE))) == [YES, TRY_AGAIN]


def test_asked_for_later_it_is_denied_and_no_is_no(starting, configuration):
    with LengthClient(starting.socket) as client:
        assert client.ask(isuser(ALICE), TRY_AGAIN_FEATURE, auth(ALICE, configuration.key.mint(ALICE))) == [YES, NO, NO]
    with LengthClient(starting.socket) as client:
        assert client.ask(b"nonsense", TRY_AGAIN_FEATURE, auth(ALICE, configuration.key.mint(ALICE))) == [NO, NO, NO]


def test_line_framing_has_no_try_again(starting, configuration):
    with LineClient(starting.socket) as client:
        assert client.ask(TRY_AGAIN_FEATURE, auth(ALICE, configuration.key.mint(ALICE))) == [NO, NO]


def test_it_works_on_a_pinned_listener(configuration, start):
    configuration.set("replay", after_restart="refuse")
    path = configuration.listener("lengths", protocol="ejabberd")
    start()
    with LengthClient(path) as client:
        assert client.ask(TRY_AGAIN_FEATURE, auth(ALICE, configuration.key.mint(ALICE))) == [YES, TRY_AGAIN]


def test_the_feature_is_no_verdict(starting):
    with LengthClient(starting.socket) as client:
        assert client.ask(TRY_AGAIN_FEATURE) == YES
    assert starting.status()["verdicts"] == {}


# --- all of it at once


class Model:
    """What the answers must be, in a few lines: a token counts once, for the JID it was minted for."""

    def __init__(self, users):
        self.users, self.minted, self.spent = users, {}, set()

    def answer(self, question):
        command, *fields = question.split(b":", 3)
        if command == b"isuser" and len(fields) == 2:
            return YES if fields[0] in self.users and fields[1] == b"example.org" else NO
        if command != b"auth" or len(fields) != 3:
            return NO
        user, host, token = fields
        if self.minted.get(token) != user + b"@" + host or token in self.spent:
            return NO
        self.spent.add(token)
        return YES


def random_question(chance, key, model):
    jid = chance.choice([b"alice", b"bob", b"mallory", b"1admin", b"admin"]) + b"@" + chance.choice([b"example.org", b"example.org", b"x.org"])
    kind = chance.randrange(8)
    if kind == 0:
        return isuser(jid)
    if kind == 1:
        return chance.choice([b"removeuser:a:example.org", b"nonsense", b"", b"auth:alice", b"setpass:alice:example.org:x"])
    if kind <= 4 or not model.minted:
        token = key.mint(jid).encode()
        if jid.endswith(b"@example.org"):
            model.minted[token] = jid
        return auth(jid, token)
    token = chance.choice(list(model.minted))
    if kind == 5:
        return auth(model.minted[token], token)  # spent, or presented late
    if kind == 6:
        at = chance.randrange(len(token))
        other = chance.choice([byte for byte in b"0123456789AZaz+/ =" if byte != token[at]])
        return auth(model.minted[token], token[:at] + bytes([other]) + token[at + 1 :])
    return auth(jid, token)  # perhaps another's


@pytest.mark.parametrize("seed", range(6))
def test_random_questions_in_random_pieces_are_answered_as_the_model_says(known, configuration, seed):
    chance = random.Random(seed)
    model = Model({b"alice", b"bob"})
    clients = [chance.choice(FRAMINGS)(known.socket) for _ in range(3)]
    for client in clients:
        assert client.ask(isuser(ALICE)) == YES  # the framing is settled; an empty line could not settle it
    for _ in range(40):
        client = chance.choice(clients)
        questions = [random_question(chance, configuration.key, model) for _ in range(chance.randrange(1, 20))]
        expected = [model.answer(question) for question in questions]
        stream = b"".join(client.encode(question) for question in questions)
        while stream:
            size = chance.choice([1, 2, 3, 50, 1000, 20000])
            client.send(stream[:size])
            stream = stream[size:]
            if chance.random() < 0.2:
                client.await_taken()
        assert client.answers(len(questions)) == expected, questions
    for client in clients:
        client.close()


def test_another_key_of_the_same_host_name_elsewhere_does_not_fit(daemon, framing):
    stranger = Key()
    with framing(daemon.socket) as client:
        assert client.ask(auth(ALICE, stranger.mint(ALICE)), auth(ALICE, random_digits(40) + " " + "A" * 43 + "=")) == [NO, NO]
