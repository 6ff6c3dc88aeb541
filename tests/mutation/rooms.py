"""The daemon's rooms as a library, the unit tests linked with it, and what happens when one of them runs with a mutant in front."""

import collections
import concurrent.futures
import functools
import mmap
import os
import pathlib
import re
import select
import signal
import subprocess
import threading
import time

from mutants import with_marks

# Of other rooms: those that fail on demand too.
OTHER_TESTS = ("ctl", "doctor", "relay")
# What is not set before it is used is the same in each run, and nothing that could be right.
PLAIN = ["gcc", "-std=c11", "-O2", "-fPIC", "-w", "-ftrivial-auto-var-init=pattern"]
ZEROED = [*PLAIN[:-1], "-ftrivial-auto-var-init=zero"]
SANITIZED = ["clang", "-std=c11", "-O1", "-g", "-fPIC", "-w", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
PACKAGES = ["libcrypto", "sqlite3", "libevent", "inih"]
OPTIONAL = {"hiredis": "-DHAVE_REDIS", "icu-uc": "-DHAVE_ICU"}
MEMORY = 2 << 30
# A test that uses no processor time at all for so long waits for what never comes.
STILL_SECONDS = 20
MARKS_SIZE = 1 << 16
MARKING = f"""
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
static char *marks;
__attribute__((constructor)) static void open_marks(void)
{{
    marks = mmap(NULL, {MARKS_SIZE}, PROT_READ | PROT_WRITE, MAP_SHARED, open(getenv("MUTATION_MARKS"), O_RDWR), 0);
}}
void mutation_mark(unsigned number);
void mutation_mark(unsigned number)
{{
    marks[number] = 1;
}}
"""


class Fault(Exception):
    """The tool, not the mutant, is at fault."""


def run(command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, check=False, **options)


def succeed(command, **options):
    result = run(command, **options)
    if result.returncode != 0:
        raise Fault(f"{command[0]} failed: {result.stderr.decode(errors='replace')[:2000]}")
    return result.stdout


def words(*command):
    return succeed(command).decode().split()


@functools.cache
def present():
    """The optional packages that are there."""
    return [package for package in OPTIONAL if run(["pkg-config", "--exists", package]).returncode == 0]


@functools.cache
def flags():
    return ["-D_GNU_SOURCE", '-DXMPP_AUTHD_VERSION="mutation"', *(OPTIONAL[package] for package in present()), "-Isrc", "-Itests/unit",
            *words("pkg-config", "--cflags", *PACKAGES, *present())]


@functools.cache
def read_by_compiler(path):
    """A source file and all headers of ours that it includes, their bytes."""
    rule = succeed(["gcc", *flags(), "-MM", path]).decode().replace("\\\n", " ")
    return [pathlib.Path(name).read_bytes() for name in sorted(rule.split(":", 1)[1].split())]


def rooms_tests():
    tests = [path.stem for path in sorted(pathlib.Path("tests/unit").glob("test_*.c"))]
    return [test for test in tests if not set(test.split("_")[1:3]) & set(OTHER_TESTS)]


def is_failing(test):
    """Takes calls of the rooms away, those that failing_calls.h names."""
    return test.startswith("test_failing_")


def taken_calls():
    text = pathlib.Path("tests/unit/failing_calls.h").read_text(encoding="utf-8")
    names = re.findall(r"^FAILING\(.*, (\w+), [-A-Z0-9_]+, E[A-Z]+,|^FAILING_OPEN\((\w+),", text, re.MULTILINE)
    return [f"-Wl,--wrap={name or opening}" for name, opening in names]


def processor_ticks(session):
    """What all processes of a session have used."""
    total = 0
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="latin-1").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            total += int(fields[11]) + int(fields[12])
    return total


class Build:
    """All rooms as a library and the tests linked with it, compiled in one way. For tests that take calls away there is a second library,
    of the same objects."""

    def __init__(self, directory, compiler, rooms, tests, jobs, more_flags):
        self.directory, self.compiler, self.jobs = directory, compiler, jobs
        self.sanitizers = [flag for flag in compiler if flag.startswith("-fsanitize")]
        directory.mkdir()
        self.flags = [*flags(), *more_flags]
        packages = [*PACKAGES, *present(), "cmocka"]
        self.libraries = ["-pthread", *words("pkg-config", "--libs", *packages)]
        self.taken = taken_calls()
        sources = [path for room in rooms for path in sorted(pathlib.Path("src", room).glob("*.c"))]
        if "hiredis" not in present():
            sources = [path for path in sources if not re.fullmatch(r"redis_(store|link|check|denials)", path.stem)]
        self.objects = {f"{path.parent.name}/{path.stem}": directory / f"{path.parent.name}-{path.stem}.o" for path in sources}
        self.tests = {test: directory / test for test in tests}
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda path: self.compile(path, self.objects[f"{path.parent.name}/{path.stem}"]), sources))
            list(pool.map(lambda test: self.compile(f"tests/unit/{test}.c", directory / f"{test}.o"), tests))
            self.compile("-", directory / "mutant.o", text="")
            for failing in (False, True):
                self.link(directory, "rooms", failing, *self.objects.values(), *self.libraries)
                self.link(directory, "mutant", failing, directory / "mutant.o")
            list(pool.map(self.link_test, tests))
        self.locks = collections.defaultdict(threading.Lock)
        self.seconds, self.controls, self.controlled, self.reach = {}, {}, set(), {}

    def compile(self, source, target, text=None, compiler=None):
        succeed([*(compiler or self.compiler), *self.flags, "-c", "-x", "c", "-o", target, source], input=None if text is None else text.encode())

    @staticmethod
    def library(name, failing):
        return name + ("-failing" if failing else "")

    def link(self, directory, name, failing, *inputs):
        succeed([self.compiler[0], *self.sanitizers, *(self.taken if failing else []), "-shared", "-o",
                 directory / f"lib{self.library(name, failing)}.so", *inputs])

    def link_test(self, test):
        failing = is_failing(test)
        # The mutant first: its functions are taken in place of the room's own.
        succeed([self.compiler[0], *self.sanitizers, *([*self.taken, "-rdynamic"] if failing else []), "-o", self.tests[test],
                 f"{self.tests[test]}.o", f"-L{self.directory}", "-Wl,--no-as-needed",
                 *(f"-l{self.library(name, failing)}" for name in ("mutant", "rooms")), *self.libraries])

    @staticmethod
    def symbols(path):
        defined, needed = set(), set()
        for line in succeed(["nm", "-P", "-g", path]).decode().splitlines():
            name, kind = line.split()[:2]
            (needed if kind == "U" else defined).add(name)
        return defined, needed

    def orders(self, targets):
        """For each target the tests that call it themselves, the one of its own name first, and those that reach it through others; the
        quickest first. Each test is tried without a mutant."""
        symbols = {name: self.symbols(path) for name, path in self.objects.items()}
        home = {symbol: name for name, (defined, _) in symbols.items() for symbol in defined}
        near, far = {target: [] for target in targets}, {target: [] for target in targets}
        for test in self.tests:
            calls = self.symbols(self.directory / f"{test}.o")[1]
            first = {home[symbol] for symbol in calls if symbol in home}
            reached, queue = set(first), collections.deque(first)
            while queue:
                reaches = {home[symbol] for symbol in symbols[queue.popleft()][1] if symbol in home} - reached
                reached |= reaches
                queue.extend(reaches)
            for target in targets:
                if target in reached:
                    (near if target in first or self.is_own(test, target) else far)[target].append(test)
        used = {test for order in (near, far) for tests in order.values() for test in tests}
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(self.measure, sorted(used)))
        for order in (near, far):
            for target, tests in order.items():
                tests.sort(key=lambda test, target=target: (not self.is_own(test, target), self.seconds[test]))
        self.mark(targets, used)
        return near, far

    @staticmethod
    def is_own(test, target):
        return test == "test_" + target.replace("/", "_")

    def mark(self, targets, tests):
        """Which functions of the targets does each test come to? The others can't tell what is changed in one."""
        directory = self.directory / "marking"
        directory.mkdir()
        objects, places = dict(self.objects), []
        for target in targets:
            text, functions = with_marks(target, len(places))
            places += [(target, function) for function in functions]
            objects[target] = directory / (target.replace("/", "-") + ".o")
            self.compile("-", objects[target], text=text)
        self.compile("-", directory / "marking.o", text=MARKING)
        for failing in (False, True):
            self.link(directory, "rooms", failing, *objects.values(), directory / "marking.o", *self.libraries)
        if len(places) > MARKS_SIZE:
            raise Fault("too many functions for the marks")

        def run_marked(test):
            path = directory / f"{test}.marks"
            path.write_bytes(bytes(MARKS_SIZE))
            wrong = self.run_test(test, directory, {"MUTATION_MARKS": str(path)})
            if wrong:
                raise self.fault(test, directory, "with marks", wrong)
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as marks:
                return test, [place for number, place in enumerate(places) if marks[number]]

        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            for test, reached in pool.map(run_marked, sorted(tests)):
                for place in reached:
                    self.reach.setdefault(place, set()).add(test)

    def reaching(self, mutant, tests):
        """Those of the tests that come to the mutant's function, in their order; what stands outside of functions is everywhere."""
        if mutant.function == "-":
            return tests
        reached = self.reach.get((mutant.target, mutant.function), set())
        return [test for test in tests if test in reached]

    def run_test(self, test, directory, environment=None):
        """None: it passes; else what was wrong. The limit is one of processor time: a busy machine kills nothing."""
        seconds = self.seconds.get(test)
        limit = 3 + int(5 * seconds) if seconds is not None else 300
        command = ["prlimit", f"--cpu={limit}", "--core=0", *([] if self.sanitizers else [f"--as={MEMORY}"]), self.tests[test]]
        environment = {"LD_LIBRARY_PATH": f"{directory}:{self.directory}", "MALLOC_PERTURB_": "165", "PATH": os.environ["PATH"],
                       "ASAN_OPTIONS": "detect_stack_use_after_return=1", **(environment or {})}
        with (directory / f"{test}.stderr").open("w+b") as errors:
            process = subprocess.Popen([str(word) for word in command], env=environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)
            ended = self.await_end(process.pid, 60 + 40 * limit)
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = code = os.waitstatus_to_exitcode(status)
            errors.seek(0)
            said = errors.read(1 << 20).decode(errors="replace")
        if not ended:
            return "waits for ever"
        if code == 127 or "symbol lookup error" in said or "cannot open shared object" in said:
            raise Fault(f"{test} does not start: {said[:500]}")
        if code == 0:
            if seconds is None:
                self.seconds[test] = usage.ru_utime + usage.ru_stime
            return None
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return "never ends"
        failed = re.search(r"\[  FAILED  \] ([a-z_]\w*)", said)
        report = re.search(r"(?:ERROR: (\w+Sanitizer: [\w-]+)|(runtime error: .*))", said)
        if report:
            return (report[1] or report[2])[:60].replace("\t", " ")
        if not failed:
            return f"ends with {code}"
        why = re.search(r"\[  ERROR   \] --- (.{1,100})", said)
        return failed[1] + (f" ({why[1]})".replace("\t", " ") if why else "")

    @staticmethod
    def fault(test, directory, how, wrong):
        """A test that fails where it must not, with what it said: it may be long before it does so again."""
        said = (directory / f"{test}.stderr").read_text(encoding="utf-8", errors="replace")
        return Fault(f"{test} fails {how}: {wrong}\n{said[-2000:]}")

    @staticmethod
    def await_end(pid, most_seconds):
        """Whether it ended by itself: not, where nothing in its session uses the processor any more, or after far more than its time."""
        descriptor = os.pidfd_open(pid)
        try:
            poller = select.poll()
            poller.register(descriptor, select.POLLIN)
            end, before = time.monotonic() + most_seconds, -1
            while not poller.poll(STILL_SECONDS * 1000):
                used = processor_ticks(pid)
                if used == before or time.monotonic() > end:
                    return False
                before = used
            return True
        finally:
            os.close(descriptor)

    def measure(self, test):
        """A test without any mutant: it must pass. Its time bounds that of its runs with mutants."""
        with self.locks[test]:
            if test not in self.seconds:
                wrong = self.run_test(test, self.directory)
                if wrong:
                    raise self.fault(test, self.directory, "without any mutant", wrong)

    def control(self, target):
        """Where the original stands in a mutant's place."""
        with self.locks[target]:
            if target not in self.controls:
                directory = self.directory / ("control-" + target.replace("/", "-"))
                directory.mkdir()
                self.compile("-", directory / "mutant.o", text=pathlib.Path(f"src/{target}.c").read_text(encoding="utf-8"))
                for failing in (False, True):
                    self.link(directory, "mutant", failing, directory / "mutant.o")
                self.controls[target] = directory
        return self.controls[target]

    def prove(self, target, test):
        """A test that kills must let the original live in the same place, or what kills is the tool itself."""
        directory = self.control(target)
        with self.locks[target, test]:
            if (target, test) not in self.controlled:
                wrong = self.run_test(test, directory)
                if wrong:
                    raise Fault(f"src/{target}.c, not changed, in a mutant's place: {test}: {wrong}")
                self.controlled.add((target, test))

    def killer(self, target, tests, directory):
        """The first test that fails with the mutant that is compiled in a directory, and how."""
        for test in tests:
            failing = is_failing(test)
            if not (directory / f"lib{self.library('mutant', failing)}.so").exists():
                self.link(directory, "mutant", failing, directory / "mutant.o")
            self.measure(test)
            wrong = self.run_test(test, directory)
            if wrong:
                self.prove(target, test)
                return f"{test}: {wrong}"
        return None
