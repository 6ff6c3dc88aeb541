"""What becomes of a mutant: it is compiled and linked by itself, and stands in front of the daemon's rooms as a library when the unit
tests run, so that nothing else is built anew."""

import collections
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

ROOMS = ("base", "token", "store", "wire", "config", "daemon")
# Of other rooms, or linked in a way of their own: --wrap takes calls away that other tests take by name.
OTHER_TESTS = ("ctl", "doctor", "relay", "failing")
# What is not set before it is used is the same in each run, and nothing that could be right.
PLAIN = ["gcc", "-std=c11", "-O2", "-fPIC", "-w", "-ftrivial-auto-var-init=pattern"]
ZEROED = [*PLAIN[:-1], "-ftrivial-auto-var-init=zero"]
SANITIZED = ["clang", "-std=c11", "-O1", "-g", "-fPIC", "-w", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
# Other ways to compile the same: what is the same code in one of them can't be told apart by any test.
SAME = (["gcc", "-std=c11", "-O3", "-w"], ["clang", "-std=c11", "-O2", "-w"], ["gcc", "-std=c11", "-O1", "-w"])
REFUSING = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
MEMORY = 2 << 30
WALL_SECONDS = 60


class Fault(Exception):
    """The tool, not the mutant, is at fault."""


@dataclasses.dataclass
class End:
    """killed, same (as the original), broken (no C) or lives; by says what killed it."""
    kind: str
    by: str = ""


def run(command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, check=False, **options)


def succeed(command, **options):
    result = run(command, **options)
    if result.returncode != 0:
        raise Fault(f"{command[0]} failed: {result.stderr.decode(errors='replace')[:2000]}")
    return result.stdout


def words(*command):
    return succeed(command).decode().split()


def exists(package):
    return run(["pkg-config", "--exists", package]).returncode == 0


class Build:
    """All rooms as a library and the tests linked with it, compiled in one way."""

    def __init__(self, directory, compiler, rooms, tests, jobs):
        self.directory, self.compiler = directory, compiler
        self.sanitized = compiler is SANITIZED
        directory.mkdir()
        packages = ["libcrypto", "sqlite3", "libevent", "inih"]
        options = {"hiredis": "-DHAVE_REDIS", "icu-uc": "-DHAVE_ICU"}
        present = [package for package in options if exists(package)]
        self.flags = ["-D_GNU_SOURCE", '-DXMPP_AUTHD_VERSION="mutation"', *(options[package] for package in present), "-Isrc", "-Itests/unit",
                      *words("pkg-config", "--cflags", *packages, *present)]
        self.libraries = ["-pthread", *words("pkg-config", "--libs", *packages, *present, "cmocka")]
        sources = [path for room in rooms for path in sorted(pathlib.Path("src", room).glob("*.c"))]
        if "hiredis" not in present:
            sources = [path for path in sources if not re.fullmatch(r"redis_(store|link|check|denials)", path.stem)]
        self.objects = {f"{path.parent.name}/{path.stem}": directory / f"{path.parent.name}-{path.stem}.o" for path in sources}
        self.tests = {test: directory / test for test in tests}
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda path: self.compile(path, self.object_of(path)), sources))
            list(pool.map(self.compile_test, tests))
            self.link(directory / "librooms.so", *self.objects.values())
            empty = directory / "empty.o"
            self.compile("-", empty, text="")
            self.link(directory / "libmutant.so", empty)
            list(pool.map(self.link_test, tests))
        # What each test defines and needs.
        self.uses = {test: self.symbols(directory / f"{test}.o") for test in tests}
        self.seconds = {}

    def object_of(self, path):
        return self.objects[f"{path.parent.name}/{path.stem}"]

    def compile(self, source, target, text=None, compiler=None):
        succeed([*(compiler or self.compiler), *self.flags, "-c", "-x", "c", "-o", target, source], input=None if text is None else text.encode())

    def compile_test(self, test):
        self.compile(f"tests/unit/{test}.c", self.directory / f"{test}.o")

    def link(self, target, *objects):
        sanitizers = [flag for flag in self.compiler if flag.startswith("-fsanitize")]
        succeed([self.compiler[0], *sanitizers, "-shared", "-o", target, *objects, *(self.libraries if len(objects) > 1 else [])])

    def link_test(self, test):
        sanitizers = [flag for flag in self.compiler if flag.startswith("-fsanitize")]
        # The mutant first: its functions are taken in place of the room's own.
        succeed([self.compiler[0], *sanitizers, "-o", self.tests[test], f"{self.tests[test]}.o", f"-L{self.directory}", "-Wl,--no-as-needed",
                 "-lmutant", "-lrooms", *self.libraries])

    @staticmethod
    def symbols(path):
        defined, needed = set(), set()
        for line in succeed(["nm", "-P", "-g", path]).decode().splitlines():
            name, kind = line.split()[:2]
            (needed if kind == "U" else defined).add(name)
        return defined, needed

    def distances(self, targets):
        """For each target the tests that reach it through whatever calls it, with the number of calls to get there; the test of its own
        name first, then the nearest."""
        symbols = {name: self.symbols(path) for name, path in self.objects.items()}
        home = {symbol: name for name, (defined, _) in symbols.items() for symbol in defined}
        orders = {target: {} for target in targets}
        for test, (_, needed) in self.uses.items():
            distance = {name: 1 for name in sorted({home[symbol] for symbol in needed if symbol in home})}
            queue = collections.deque(distance)
            while queue:
                name = queue.popleft()
                for next_name in sorted({home[symbol] for symbol in symbols[name][1] if symbol in home} - set(distance)):
                    distance[next_name] = distance[name] + 1
                    queue.append(next_name)
            for target in targets:
                if target in distance:
                    orders[target][test] = distance[target]
        sorted_orders = {target: sorted(order, key=lambda test, order=order, own="test_" + target.replace("/", "_"):
                                        (test != own, order[test], test)) for target, order in orders.items()}
        return sorted_orders, {target: [test for test in tests if orders[target][test] == 1] for target, tests in sorted_orders.items()}

    def run_test(self, test, directory):
        """None: it passes; else what was wrong."""
        limit = 3 + int(5 * self.seconds.get(test, 20))
        command = ["prlimit", f"--cpu={limit}", "--core=0", *([] if self.sanitized else [f"--as={MEMORY}"]), self.tests[test]]
        environment = {"LD_LIBRARY_PATH": f"{directory}:{self.directory}", "MALLOC_PERTURB_": "165", "PATH": os.environ["PATH"],
                       "ASAN_OPTIONS": "detect_stack_use_after_return=1"}
        with subprocess.Popen([str(word) for word in command], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, start_new_session=True) as process:
            try:
                _, errors = process.communicate(timeout=max(WALL_SECONDS, 10 * limit))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                return "waits for ever"
        said = errors.decode(errors="replace")
        if process.returncode == 127 or "symbol lookup error" in said or "cannot open shared object" in said:
            raise Fault(f"{test} does not start: {said[:500]}")
        if process.returncode == 0:
            return None
        if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return "never ends"
        failed = re.search(r"\[  FAILED  \] ([a-z_]\w*)", said)
        report = re.search(r"(?:ERROR: (\w+Sanitizer: [\w-]+)|(runtime error: .*))", said)
        if report:
            return (report[1] or report[2])[:60]
        return failed[1] if failed else f"ends with {process.returncode}"

    def measure(self, tests):
        """Each test without any mutant: it must pass. Its time bounds that of its runs with mutants."""
        for test in tests:
            start = time.monotonic()
            wrong = self.run_test(test, self.directory)
            if wrong:
                raise Fault(f"{test} fails without any mutant: {wrong}")
            self.seconds[test] = time.monotonic() - start

    def killer(self, tests, directory):
        for test in tests:
            wrong = self.run_test(test, directory)
            if wrong:
                return f"{test}: {wrong}"
        return None


class Trials:
    def __init__(self, directory, targets, jobs, rooms=ROOMS, tests=None):
        self.directory, self.jobs, self.rooms = pathlib.Path(directory), jobs, rooms
        if tests is None:
            tests = [path.stem for path in sorted(pathlib.Path("tests/unit").glob("test_*.c")) if path.stem.split("_")[1] not in OTHER_TESTS]
        self.plain = Build(self.directory / "plain", PLAIN, rooms, tests, jobs)
        self.orders, self.near = self.plain.distances(targets)
        self.plain.measure(sorted(set().union(*self.orders.values())))
        self.sanitized = None
        self.originals = {}
        for target in targets:
            self.control(self.plain, target)

    def control(self, build, target):
        """The original in a mutant's place: all its tests must pass, or what kills mutants is the tool itself."""
        text = pathlib.Path(f"src/{target}.c").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory(dir=self.directory) as name:
            self.place(build, text, pathlib.Path(name))
            if not build.sanitized:
                self.originals[target] = (pathlib.Path(name) / "mutant.o").read_bytes()
            killer = build.killer(self.tests_of(build, target), name)
        if killer:
            raise Fault(f"src/{target}.c, not changed, in a mutant's place: {killer}")

    def tests_of(self, build, target):
        """The sanitizers are slow: they go with the tests that call the file themselves."""
        return self.near[target] or self.orders[target][:1] if build.sanitized else self.orders[target]

    @staticmethod
    def place(build, text, directory):
        build.compile("-", directory / "mutant.o", text=text)
        build.link(directory / "libmutant.so", directory / "mutant.o")

    def attempt(self, mutant):
        with tempfile.TemporaryDirectory(dir=self.directory) as name:
            directory = pathlib.Path(name)
            try:
                self.plain.compile("-", directory / "mutant.o", text=mutant.text)
            except Fault:
                return End("broken")
            if (directory / "mutant.o").read_bytes() == self.originals[mutant.target]:
                return End("same")
            self.plain.link(directory / "libmutant.so", directory / "mutant.o")
            killer = self.plain.killer(self.orders[mutant.target], directory)
            if killer:
                return End("killed", killer)
            end = self.attempt_again(mutant)
            if end.kind == "lives":
                # What is not set before it is used, once more with another value.
                self.plain.compile("-", directory / "mutant.o", mutant.text, ZEROED)
                self.plain.link(directory / "libmutant.so", directory / "mutant.o")
                killer = self.plain.killer(self.near[mutant.target], directory)
        return End("killed", killer) if killer else end

    def attempt_again(self, mutant):
        """What lived: is it another program at all, and would it be built?"""
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

    def attempt_sanitized(self, mutant):
        with tempfile.TemporaryDirectory(dir=self.directory) as name:
            self.place(self.sanitized, mutant.text, pathlib.Path(name))
            killer = self.sanitized.killer(self.tests_of(self.sanitized, mutant.target), name)
        return End("killed", f"{killer} (sanitized)") if killer else End("lives")

    def all(self, mutants, progress):
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            ends = []
            for mutant, end in zip(mutants, pool.map(self.attempt, mutants)):
                ends.append(end)
                progress(mutant, end)
            living = [number for number, end in enumerate(ends) if end.kind == "lives"]
            if living:
                self.build_sanitized(sorted({mutants[number].target for number in living}))
                for number, end in zip(living, pool.map(self.attempt_sanitized, [mutants[number] for number in living])):
                    ends[number] = end
                    progress(mutants[number], end)
        return ends

    def build_sanitized(self, targets):
        self.sanitized = Build(self.directory / "sanitized", SANITIZED, self.rooms, sorted(self.plain.tests), self.jobs)
        tests = sorted(set().union(*(self.tests_of(self.sanitized, target) for target in targets)))
        self.sanitized.measure(tests)
        for target in targets:
            self.control(self.sanitized, target)
