"""Questions that come a byte at a time and never end: closed in time, whatever the moment at which the last byte comes."""

import select
import time

from harness import DEADLINE
from harness.clients import YES, LengthClient, auth

ALICE = "alice@example.org"


def timeouts(daemon):
    """How many the log tells of, one by one and summed up."""
    summed = daemon.events("events-summed", of="connection-timeout")
    return len(daemon.events("connection-timeout")) + sum(int(record["count"]) for record in summed)


def test_clients_that_send_a_byte_in_the_very_turn_in_which_their_time_is_up(start, configuration):
    """One byte after the other through the timeout: some of them arrive together with the timer that ends the connection."""
    configuration.server(request_timeout="1s", max_connections=500)
    daemon = start()
    clients, left = {}, {}
    for _ in range(300):
        client = LengthClient(daemon.socket)
        client.send(b"\x1f\xff")
        client.socket.setblocking(False)
        clients[client.socket] = client
        left[client.socket] = 0x1fff - 1
    deadline = time.monotonic() + DEADLINE
    while clients:
        assert time.monotonic() < deadline, f"{len(clients)} connections are still open"
        for sock in list(clients):
            # The fewer are left, the sooner each has its turn again: with one byte more the question would be whole.
            if left[sock] == 0:
                continue
            try:
                left[sock] -= sock.send(b"x")
            except BlockingIOError:
                pass  # a full buffer: the daemon has bytes enough of this client to read
            except (BrokenPipeError, ConnectionResetError):
                clients.pop(sock).close()
        gone, _, _ = select.select(list(clients), [], [], 0)
        for sock in gone:
            clients.pop(sock).close()
    with daemon.changed:
        assert daemon.changed.wait_for(lambda: timeouts(daemon) == 300, DEADLINE), timeouts(daemon)
    assert daemon.ask(auth(ALICE, configuration.key.mint(ALICE))) == YES
