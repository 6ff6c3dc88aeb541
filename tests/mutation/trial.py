"""What becomes of a mutant: it is compiled and linked by itself, and stands in front of the daemon's rooms as a library when the unit
tests run, so that nothing else is built anew."""

import concurrent.futures
import dataclasses
import functools
import hashlib
import pathlib
import tempfile
import threading

from rooms import PLAIN, SANITIZED, ZEROED, Build, Fault, read_by_compiler, rooms_tests, run, succeed

# Other ways to compile the same: what is the same code in one of them can't be told apart by any test.
SAME = (["gcc", "-std=c11", "-O3", "-w"], ["clang", "-std=c11", "-O2", "-w"], ["gcc", "-std=c11", "-O1", "-w"])
REFUSING = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
ROOMS = ("base", "token", "store", "wire", "config", "daemon")


@dataclasses.dataclass
class End:
    """killed, same (as the original), broken (no C) or lives; by says what killed it."""
    kind: str
    by: str = ""


def digest(*parts):
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


class Fingerprints:
    """What an end rests on: it holds while that is as it was. A mutant that lives rests on all tests, one that is killed on the test that
    did it alone."""

    def __init__(self):
        tools = [pathlib.Path("tests/mutation", name).read_bytes() for name in ("mutants.py", "rooms.py", "trial.py")]
        self.common = [*tools, *(succeed([compiler, "--version"]) for compiler in ("gcc", "clang"))]
        self.tests = rooms_tests()

    @functools.cache
    def of_source(self, target):
        return digest(*self.common, *read_by_compiler(f"src/{target}.c"))

    @functools.cache
    def of_test(self, test):
        return digest(*read_by_compiler(f"tests/unit/{test}.c"))

    def of(self, mutant, end):
        killer = end.by.split(":")[0]
        tests = self.tests if end.kind == "lives" else [killer] if killer in self.tests else []
        parts = [self.of_source(mutant.target), mutant.key.encode(), mutant.text.encode(), *(self.of_test(test) for test in tests)]
        return digest(*parts).hex()[:32]


class Kept:
    """The ends of former runs, a file in build/mutation for each file of the source, and those of this one as they come."""

    def __init__(self, directory):
        self.directory, self.fingerprints, self.lock = directory, Fingerprints(), threading.Lock()
        directory.mkdir(parents=True, exist_ok=True)

    def path(self, target):
        return self.directory / (target.replace("/", "-") + ".txt")

    def read(self, target, mutants):
        """The ends that still hold; the others are dropped from the file."""
        by_key = {mutant.key: mutant for mutant in mutants}
        lines, ends = [], {}
        for line in self.path(target).read_text(encoding="utf-8").splitlines() if self.path(target).exists() else []:
            fields = line.split("\t")
            if len(fields) == 4 and fields[3] in by_key:
                end = End(fields[0], fields[1])
                if fields[2] == self.fingerprints.of(by_key[fields[3]], end):
                    ends[fields[3]] = end
                    lines.append(line + "\n")
        self.path(target).write_text("".join(lines), encoding="utf-8")
        return ends

    def add(self, mutant, end):
        with self.lock, self.path(mutant.target).open("a", encoding="utf-8") as file:
            file.write(f"{end.kind}\t{end.by}\t{self.fingerprints.of(mutant, end)}\t{mutant.key}\n")


class Trials:
    """Files that are compiled with the same flags, and what becomes of their mutants."""

    def __init__(self, directory, targets, jobs, flags=(), rooms=ROOMS, tests=None):
        self.directory, self.jobs, self.flags, self.rooms = pathlib.Path(directory), jobs, flags, rooms
        self.lock = threading.Lock()
        self.plain = Build(self.directory / "plain", PLAIN, rooms, tests or rooms_tests(), jobs, flags)
        self.near, self.far = self.plain.orders(targets)
        self.sanitized = None
        self.originals = {target: self.plain.control(target) for target in targets}

    def attempt(self, mutant):
        with tempfile.TemporaryDirectory(dir=self.directory) as name:
            directory = pathlib.Path(name)
            try:
                self.plain.compile("-", directory / "mutant.o", text=mutant.text)
            except Fault:
                return End("broken")
            if (directory / "mutant.o").read_bytes() == (self.originals[mutant.target] / "mutant.o").read_bytes():
                return End("same")
            near, far = (self.plain.reaching(mutant, order[mutant.target]) for order in (self.near, self.far))
            killer = self.plain.killer(mutant.target, near, directory)
            if killer:
                return End("killed", killer)
            end = self.without_tests(mutant)
            if end.kind != "lives":
                return end
            killer = self.plain.killer(mutant.target, far, directory)
            if not killer:
                # What is not set before it is used, once more with another value.
                for path in directory.iterdir():
                    path.unlink()
                self.plain.compile("-", directory / "mutant.o", mutant.text, ZEROED)
                killer = self.plain.killer(mutant.target, near, directory)
        return End("killed", killer) if killer else self.attempt_sanitized(mutant, near or far[:1])

    def without_tests(self, mutant):
        """What the nearest tests let live: is it another program at all, and would it be built?"""
        original = pathlib.Path(f"src/{mutant.target}.c").read_text(encoding="utf-8")
        flags = [*self.plain.flags, "-x", "c", "-"]
        for compiler in SAME:
            codes = [succeed([*compiler, *flags, "-S", "-o", "-"], input=text.encode()) for text in (original, mutant.text)]
            if codes[0] == codes[1]:
                return End("same")
        for compiler in ("gcc", "clang"):
            if run([compiler, "-std=c11", *(["-O2"] if compiler == "gcc" else []), *REFUSING, *flags], input=mutant.text.encode()).returncode != 0:
                return End("killed", f"{compiler} -Werror")
        return End("lives")

    def attempt_sanitized(self, mutant, tests):
        """The sanitizers are slow: they go with the tests that call the file themselves."""
        with self.lock:
            if self.sanitized is None:
                self.sanitized = Build(self.directory / "sanitized", SANITIZED, self.rooms, sorted(self.plain.tests), self.jobs, self.flags)
        with tempfile.TemporaryDirectory(dir=self.directory) as name:
            self.sanitized.compile("-", pathlib.Path(name) / "mutant.o", text=mutant.text)
            killer = self.sanitized.killer(mutant.target, tests, pathlib.Path(name))
        return End("killed", f"{killer} (sanitized)") if killer else End("lives")

    def all(self, mutants, progress):
        """Tries them all; progress is told of each as it ends."""
        def one(mutant):
            end = self.attempt(mutant)
            progress(mutant, end)

        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            futures = [pool.submit(one, mutant) for mutant in mutants]
            try:
                for future in concurrent.futures.as_completed(futures):
                    future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
