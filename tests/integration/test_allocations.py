"""No question costs an allocation: what the daemon and its libraries allocate and free is counted while questions of every kind
are asked. But for what the index of spent tokens grows by, which is foretold one by one."""

import base64
import mmap
import os
import pathlib
import struct
import subprocess
import time

import pytest

from harness.clients import NO, YES, auth, isuser
from harness.configuration import HOST
from harness.daemon import SANITIZED
from harness.kinds import mint_v2
from harness.minter import Key

SOURCE = pathlib.Path(__file__).parent / "allocation_counter.c"
INTERVAL = 300
# Asked before it counts, so that buffers are there and as large as they become; asked in one write; and one by one, so many that the
# index grows in every way.
WARMING, BLOCK, PINGS = 2, 60, 1800
USERS = 50
# A connection that is silent for so long may have given its buffers back: what it asks next does not count.
SILENT_SECONDS = 0.5

pytestmark = pytest.mark.skipif(SANITIZED, reason="the sanitizer has an allocator of its own")


@pytest.fixture(name="counter", scope="module")
def build_counter(tmp_path_factory):
    library = tmp_path_factory.mktemp("counter") / "allocation_counter.so"
    flags = ["-std=c11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([os.environ.get("CC", "cc"), *flags, "-o", library, SOURCE], check=True)
    return library


class Allocations:
    """What a daemon has allocated and freed so far."""

    def __init__(self, library, directory):
        path = directory / "allocations"
        path.write_bytes(bytes(16))
        path.chmod(0o666)
        with path.open("r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 16)
        self.environment = {"LD_PRELOAD": str(library), "XMPP_AUTHD_ALLOCATIONS": str(path)}

    def counts(self):
        return struct.unpack("QQ", self.shared[:16])


class Index:
    """The growth of the daemon's index of spent tokens (src/store/signature_set.c): a shelf for each time step and kind, on it a directory
    that leads by some bits of an id to a leaf. A full leaf is parted by the bit that is next, and where the directory knows too few bits,
    a larger one takes its place. Ids and leaves are mapped, which is not counted."""

    FIRST_DEPTH, LEAF_FULL = 2, 400

    def __init__(self):
        self.shelves = {}

    def spend(self, shelf, signature):
        """What it allocates and frees for one more."""
        allocated = freed = 0
        if shelf not in self.shelves:
            # Leaves by depth and the bits that their ids share.
            self.shelves[shelf] = [self.FIRST_DEPTH, {(0, 0): []}]
            allocated = 2
        depth, leaves = self.shelves[shelf]
        high = int.from_bytes(signature[8:16], "little")
        while True:
            bits = next(bits for bits in range(depth + 1) if (bits, high % 2**bits) in leaves)
            leaf = leaves[bits, high % 2**bits]
            if len(leaf) < self.LEAF_FULL:
                break
            if bits == depth:
                depth, allocated, freed = depth + 1, allocated + 1, freed + 1
            del leaves[bits, high % 2**bits]
            for value in (high % 2**bits, high % 2**bits + 2**bits):
                leaves[bits + 1, value] = [other for other in leaf if other % 2 ** (bits + 1) == value]
        leaf.append(high)
        self.shelves[shelf][0] = depth
        return allocated, freed


class Questions:
    """Of every kind: what is asked, what is answered, and what the index grows by."""

    def __init__(self, key):
        self.key, self.index, self.count = key, Index(), 0
        self.now = int(time.time())
        self.spent = self.jid = None

    def next(self, kind):
        """A question, and what it is to allocate and free."""
        self.count += 1
        self.jid = f"user{self.count % USERS}@{HOST}"
        return getattr(self, "_" + kind)()

    def _mint(self, time=None):
        return self.key.mint(self.jid, time=time or self.now, nonce=f"{self.count:032d}")

    def _login(self):
        token = self._mint()
        self.spent = auth(self.jid, token)
        return self.spent, self.index.spend("v1", base64.b64decode(token.split()[1]))

    def _login_v2(self):
        token = mint_v2(self.key, self.jid, issued=self.now, lifetime=900, nonce=self.count.to_bytes(16, "big"))
        return auth(self.jid, token), self.index.spend("v2", base64.urlsafe_b64decode(token.rsplit(".", 1)[1] + "="))

    def _replayed(self):
        return self.spent, (0, 0)

    def _forged(self):
        token = self._mint()
        return auth(self.jid, token[:50] + ("B" if token[50] == "A" else "A") + token[51:]), (0, 0)

    def _malformed(self):
        return auth(self.jid, self._mint()[1:]), (0, 0)

    def _stale(self):
        return auth(self.jid, self._mint(time=self.now - 20 * INTERVAL)), (0, 0)

    def _isuser(self):
        return isuser(self.jid), (0, 0)

    def _isuser_elsewhere(self):
        return isuser(self.jid + ".invalid"), (0, 0)

    def _not_understood(self):
        return b"nonsense", (0, 0)


KINDS = {"login": YES, "login_v2": YES, "replayed": NO, "forged": NO, "malformed": NO, "stale": NO, "isuser": YES, "isuser_elsewhere": NO,
         "not_understood": NO}


class Asker:
    """A client whose questions are counted."""

    def __init__(self, client, allocations, questions):
        self.client, self.allocations, self.questions = client, allocations, questions
        self.answered_at = 0

    def ask(self, kind, block):
        """Asks some in one write; what was allocated and freed meanwhile beyond what was foretold. None: after a silence."""
        asked = [self.questions.next(kind) for _ in range(block)]
        silent = time.monotonic() - self.answered_at
        before = self.allocations.counts()
        answers = self.client.ask(*(question for question, _ in asked))
        after = self.allocations.counts()
        self.answered_at = time.monotonic()
        assert answers == (KINDS[kind] if block == 1 else [KINDS[kind]] * block), kind
        foretold = [sum(growth[i] for _, growth in asked) for i in (0, 1)]
        return None if silent > SILENT_SECONDS else [after[i] - before[i] - foretold[i] for i in (0, 1)]


@pytest.mark.parametrize("store", ["memory", "journal"])
@pytest.mark.wrong_clocks
def test_no_question_costs_an_allocation(configuration, start, directory, counter, framing, store):
    key = Key(interval=INTERVAL)
    state = directory / "state"
    state.mkdir(0o700)
    configuration.host(key=key, accept="v1 v2", max_lifetime="900s", isuser="always")
    configuration.set("state", dir=state).set("replay", store=store, after_restart="accept").set("log", level="info")
    allocations = Allocations(counter, directory)
    daemon = start(more=allocations.environment)
    surplus = {}
    with framing(daemon.socket) as client:
        questions = Questions(key)
        asker = Asker(client, allocations, questions)
        for kind in KINDS:
            for block in [BLOCK] * WARMING + [1]:
                asker.ask(kind, block)
            results = [asker.ask(kind, block) for block in [BLOCK] * 4 + [1] * PINGS]
            counted = [result for result in results if result is not None]
            assert len(counted) > len(results) / 2, "the machine has no time for this"
            surplus[kind] = [result for result in counted if result != [0, 0]]
    assert surplus == {kind: [] for kind in KINDS}
    assert all(depth > Index.FIRST_DEPTH for depth, _ in questions.index.shelves.values()), "the index has not grown"
