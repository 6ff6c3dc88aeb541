"""Many hosts: what is fetched ahead for the questions behind the one that is answered changes no answer."""

import random

import pytest

from harness.clients import NO, YES, auth, isuser
from harness.minter import Key

HOSTS = 100


@pytest.fixture
def keys(configuration):
    keys = [Key() for _ in range(HOSTS)]
    for number, key in enumerate(keys):
        configuration.host(f"h{number}.example", key, isuser="never" if number % 2 else None)
    configuration.host("h7.example", jsxc_secret="k" * 8 + "T4mW9xQz2Lr7VbN5kYc8HdJ", accept="jsxc", otp_seed=None, token_secret=None)
    return keys


def questions(keys, count, source):
    """Questions of every shape, and their answers."""
    for number in range(count):
        host = source.randrange(HOSTS)
        jid = f"user{number}@h{host}.example"
        kind = source.randrange(8)
        if kind < 3:
            yield auth(jid, keys[host].mint(jid)), NO if host == 7 else YES
        elif kind == 3:
            yield auth(jid, keys[host - 1].mint(jid)), NO
        elif kind == 4:
            yield isuser(jid), NO if host % 2 else YES
        else:
            yield source.choice([b"", b":", b"auth", b"auth:", b"auth::", b"auth:a:", b"auth:a:h1.example", b"x" * 300, b"isuser::h2.example",
                                 b"auth:" + b"u" * 700 + b":h3.example:x", b"isuser:a:" + b"h" * 900]), NO


def test_questions_of_every_shape_in_one_stream(keys, start, framing):
    source = random.Random(5)
    daemon = start()
    asked = list(questions(keys, 400, source))
    with framing(daemon.socket) as client:
        stream = b"".join(client.encode(question) for question, _ in asked)
        while stream:
            size = source.choice([1, 7, 100, 3000, 20000])
            client.send(stream[:size])
            stream = stream[size:]
        assert client.answers(len(asked)) == [answer for _, answer in asked]
    assert daemon.reload() == "reloaded"
    with framing(daemon.socket) as client:
        assert client.ask(*[isuser(f"a@h{number}.example") for number in range(0, HOSTS, 2)]) == [YES] * (HOSTS // 2)
