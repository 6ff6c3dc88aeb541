#!/usr/bin/python3
"""mutate.py [--jobs N] [--list | --check | --fresh] [FILE...]: changes the verifier and the replay rules one place at a time, and asks the unit tests.

A mutant that the tests let live is either listed in justified.txt, with the reason why it changes nothing that could be told, or it is a
hole in the tests: the run then ends with 1. A mutant that compiles to the same code as the original is none.
"""

import argparse
import collections
import ctypes
import os
import pathlib
import sys
import tempfile
import threading
import time

from mutants import mutants_of
from rooms import Fault
from trial import Kept, Trials

CLONE_NEWNS, CLONE_NEWUSER, MS_REC, MS_PRIVATE = 0x20000, 0x10000000, 16384, 1 << 18
JUSTIFIED = pathlib.Path("tests/mutation/justified.txt")
KEPT = pathlib.Path("build/mutation")
STORE = ("replay_index", "signature_set", "signature_leaf", "block_row", "signature_id", "huge_block", "closed_time", "start_floor",
         "spent_store", "memory_store", "journal_store", "journal_record", "journal_opening", "journal_count", "redis_record", "reach")
# With all of the verifier's room.
TARGETS = (*(f"store/{name}" for name in STORE), "base/number", "base/moment", "config/verifier", "config/windows",
           "config/key_rules", "config/reload", "config/replay", "daemon/authority", "daemon/user_rules", "daemon/denial_watch")

# What is compiled only where libcrypto is without its deprecated functions.
FLAGS = {"token/keyed_hash_evp": ("-DOPENSSL_NO_DEPRECATED",)}


def read_justified():
    """The keys of justified.txt, each with its reason; what is wrong with it too."""
    reasons, wrong = {}, []
    for number, line in enumerate(JUSTIFIED.read_text(encoding="utf-8").splitlines() if JUSTIFIED.exists() else [], 1):
        if not line or line.startswith("#"):
            continue
        *parts, reason = line.split(" @@ ")
        key = " @@ ".join(parts)
        if len(parts) != 4 or not reason.strip().endswith("."):
            wrong.append(f"line {number} is not file @@ function @@ line @@ change @@ reason, a sentence")
        elif key in reasons:
            wrong.append(f"line {number} stands there twice")
        reasons[key] = reason
    return reasons, wrong


def stale(reasons):
    """Justifications of changes that can't be made any more."""
    keys = {mutant.key for target in {key.split(" ")[0] for key in reasons} if pathlib.Path(f"src/{target}.c").exists()
            for mutant in mutants_of(target)}
    return [f"justified, but not in the source: {key}" for key in reasons if key not in keys]


def private_tmp():
    """Tests that are killed leave files: they get a /tmp of their own, in memory, which ends with the run. Paths are relative from here
    on, for what is in /tmp can't be named any more."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNS | (0 if user == 0 else CLONE_NEWUSER)) != 0:
        return
    if user != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            pathlib.Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0:
        libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, b"size=1g,mode=1777")


def report(mutants, ends, reasons):
    """A line for each file; the texts of those that live without a reason, and reasons without one that lives."""
    by_file = collections.defaultdict(list)
    for mutant in mutants:
        end = ends[mutant.key]
        by_file[mutant.target].append("justified" if end.kind == "lives" and mutant.key in reasons else end.kind)
    print(f"{'file':24}{'mutants':>8}{'killed':>8}{'same':>6}{'no C':>6}{'justified':>10}{'live':>6}  killed most by")
    for target in [*by_file, "all"]:
        some = [mutant for mutant in mutants if target in (mutant.target, "all")]
        kinds = collections.Counter(kind for mutant_target, found in by_file.items() if target in (mutant_target, "all") for kind in found)
        killers = collections.Counter(ends[mutant.key].by.split(":")[0] for mutant in some if ends[mutant.key].kind == "killed").most_common(3)
        print(f"{target:24}{len(some):8}{kinds['killed']:8}{kinds['same']:6}{kinds['broken']:6}{kinds['justified']:10}{kinds['lives']:6}  "
              + ", ".join(f"{name} {count}" for name, count in killers))
    holes = [f"lives: {mutant.key}" for mutant in mutants if ends[mutant.key].kind == "lives" and mutant.key not in reasons]
    dead = [f"justified, but {ends[key].kind} {ends[key].by}".rstrip() + f": {key}" for key in (mutant.key for mutant in mutants)
            if ends[key].kind != "lives" and key in reasons]
    return holes + dead


def try_all(targets, mutants, reasons, options):
    """The end of each mutant: kept from a former run, or tried."""
    if options.fresh:
        for path in KEPT.glob("*.txt"):
            path.unlink()
    kept, lock = Kept(KEPT), threading.Lock()
    ends = {}
    for target in targets:
        ends.update(kept.read(target, [mutant for mutant in mutants if mutant.target == target]))
    left = [mutant for mutant in mutants if mutant.key not in ends]
    print(f"{len(mutants)} mutants, of {len(ends)} the end is known", file=sys.stderr, flush=True)
    if not left:
        return ends
    to_come, start = collections.Counter(mutant.target for mutant in left), time.monotonic()

    def progress(mutant, end):
        kept.add(mutant, end)
        with lock:
            ends[mutant.key] = end
            to_come[mutant.target] -= 1
            if end.kind == "lives" and mutant.key not in reasons:
                print(f"lives: {mutant.key}", file=sys.stderr, flush=True)
            if to_come[mutant.target] == 0:
                print(f"{mutant.target} is done: {to_come.total()} to come, after {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)

    for flags in sorted({FLAGS.get(mutant.target, ()) for mutant in left}):
        some = [mutant for mutant in left if FLAGS.get(mutant.target, ()) == flags]
        with tempfile.TemporaryDirectory() as directory:
            Trials(directory, list(dict.fromkeys(mutant.target for mutant in some)), options.jobs, flags).all(some, progress)
    return ends


def check(jobs):
    """Does the tool itself work? One mutant that must be killed, one that is the same, and the original, which must pass."""
    target = "token/verify"
    wanted = {f"{target} @@ try_key @@ if (!genuine) @@ ! -> nothing": "killed",
              f"{target} @@ time_zone_offset @@ if (tolerance > 300) @@ > -> >=": "same"}
    mutants = [mutant for mutant in mutants_of(target) if mutant.key in wanted]
    with tempfile.TemporaryDirectory() as directory:
        trials = Trials(directory, [target], jobs, rooms=("base", "token"), tests=["test_token_verify"])
        found = {mutant.key: trials.attempt(mutant).kind for mutant in mutants}
    return [f"{key} is {found.get(key)}, not {kind}" for key, kind in wanted.items() if found.get(key) != kind]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--list", action="store_true", help="the mutants, without trying them")
    parser.add_argument("--check", action="store_true", help="justified.txt against the source, and whether this program works")
    parser.add_argument("--fresh", action="store_true", help="forget what former runs found")
    parser.add_argument("files", nargs="*", help="such as token/verify")
    options = parser.parse_args()
    os.chdir(pathlib.Path(__file__).resolve().parents[2])
    verifier = [f"token/{path.stem}" for path in sorted(pathlib.Path("src/token").glob("*.c"))]
    targets = [file.removeprefix("src/").removesuffix(".c") for file in options.files] or [*verifier, *TARGETS]
    mutants = [mutant for target in targets for mutant in mutants_of(target)]
    if options.list:
        print(*(mutant.key for mutant in mutants), sep="\n")
        return 0
    reasons, wrong = read_justified()
    wrong += stale(reasons)
    private_tmp()
    try:
        if options.check:
            wrong += check(options.jobs)
        else:
            wrong += report(mutants, try_all(targets, mutants, reasons, options), reasons)
    except Fault as fault:
        print(f"mutation: {fault}", file=sys.stderr)
        return 2
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
