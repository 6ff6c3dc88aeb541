#!/usr/bin/python3
"""mutate.py [--jobs N] [--list] [FILE...]: changes the verifier and the replay rules one place at a time, and asks the unit tests.

Each mutant flips one condition, constant or result, or leaves one statement out. A mutant that the tests let live is either listed in
justified.txt, with the reason why it changes nothing that could be told, or it is a hole in the tests: the run then ends with 1. A
mutant that compiles to the same code as the original is none.
"""

import argparse
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
JUSTIFIED = ROOT / "tests" / "mutation" / "justified.txt"
ROOMS = ("base", "token", "wire", "store", "config")
TESTED = ("base", "token", "store")
TARGETS = ("token/verify", "token/token", "token/token_key", "token/totp", "token/otp_ring", "token/base64", "store/replay_index",
           "store/closed_time", "store/start_floor", "store/spent_store", "store/signature_set", "store/memory_store",
           "store/journal_store")
DEADLINE = 10
FLAGS = ["-std=c11", "-O1", "-fPIC", "-D_GNU_SOURCE", "-DHAVE_REDIS", "-w"]

# (pattern, replacement); each match of each is a mutant. The blanks around operators are clang-format's.
CHANGES = [
    (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "),
    (r" == ", " != "), (r" != ", " == "), (r" && ", " || "), (r" \|\| ", " && "),
    (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " + "), (r" / ", " * "), (r" \| ", " & "), (r" & ", " | "),
    (r"\+\+", "--"), (r"--", "++"), (r" \+= ", " -= "), (r" -= ", " += "), (r" \|= ", " &= "), (r" &= ", " |= "),
    (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"!(?=[a-z(])", ""),
    (r"\breturn 0;", "return -1;"), (r"\breturn -1;", "return 0;"),
    (r"(?<![\w.\"'%x])(\d+)(?![\w.\"'])", lambda match: str(int(match[1]) + 1)),
    (r"^(\s+)(?!return|break|continue|case|default|else|static|const|struct|goto)([\w>.\-\[\]*&]+(?:\(.*\)|\+\+|--| [+\-|&]?= .*));$",
     r"\1;"),
]


class Mutant:
    def __init__(self, target, number, text, what):
        self.target, self.number, self.text, self.what = target, number, text, what

    def __str__(self):
        return f"src/{self.target}.c: {self.what}"


def code_only(line):
    """The line with comments and strings blanked out, every character in its place."""
    def blank(match):
        return " " * len(match[0]) if match[0].startswith("/*") else match[0][0] + "_" * (len(match[0]) - 2) + match[0][-1]

    return re.sub(r"/\*.*?(?:\*/|$)|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)+'", blank, line)


def mutants_of(target):
    lines = (ROOT / "src" / f"{target}.c").read_text().splitlines()
    in_comment, mutants, seen = False, [], {}
    for number, line in enumerate(lines):
        code = code_only(line)
        if in_comment or line.startswith("#"):
            in_comment = in_comment and "*/" not in line
            continue
        in_comment = "/*" in line and "*/" not in line
        for pattern, replacement in CHANGES:
            for match in re.finditer(pattern, code):
                new = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
                changed = line[: match.start()] + new + line[match.end() :]
                what = f"{line.strip()} -> {changed.strip()}"
                seen[what] = seen.get(what, 0) + 1
                if seen[what] > 1:
                    what += f" ({seen[what]})"
                mutants.append(Mutant(target, number, "\n".join(lines[:number] + [changed] + lines[number + 1 :]) + "\n", what))
    return mutants


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()


class Bench:
    """The objects and tests, built once; a mutant takes the place of one object in a library of its own."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        packages = ["libcrypto", "sqlite3", "libevent", "hiredis", "inih"]
        self.flags = [*FLAGS, f"-I{ROOT / 'src'}", f"-I{ROOT / 'tests' / 'unit'}", *output("pkg-config", "--cflags", *packages)]
        self.libraries = ["-pthread", *output("pkg-config", "--libs", *packages, "cmocka")]
        self.sources = [path for room in ROOMS for path in sorted((ROOT / "src" / room).glob("*.c"))]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda path: self.compile(path, self.object_of(path)), self.sources))
        self.link(self.directory, {})
        self.tests = {}
        units = [path for room in TESTED for path in sorted((ROOT / "tests" / "unit").glob(f"test_{room}_*.c"))]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(self.build_test, units))

    def object_of(self, path):
        return self.directory / f"{path.parent.name}-{path.stem}.o"

    def compile(self, source, target):
        subprocess.run(["gcc", *self.flags, "-c", "-o", target, source], check=True, capture_output=True, timeout=DEADLINE)

    def link(self, directory, replaced):
        objects = [replaced.get(path, self.object_of(path)) for path in self.sources]
        subprocess.run(["gcc", "-shared", "-o", directory / "libmutant.so", *objects, *self.libraries], check=True, capture_output=True)

    def build_test(self, unit):
        program = self.directory / unit.stem
        subprocess.run(["gcc", *self.flags, "-o", program, unit, f"-L{self.directory}", "-lmutant", *self.libraries], check=True)
        self.tests[unit.stem] = program

    def order(self, target):
        """The tests of the mutant's own room first, the one of its own name before all."""
        room, name = target.split("/")
        return sorted(self.tests, key=lambda test: (test != f"test_{room}_{name}", not test.startswith(f"test_{room}_"), test))

    def killer(self, target, directory):
        """The test that fails with the library in a directory; None: none does."""
        for test in self.order(target):
            try:
                result = subprocess.run([self.tests[test]], env={"LD_LIBRARY_PATH": str(directory)}, capture_output=True,
                                        timeout=DEADLINE, cwd=directory, check=False)
            except subprocess.TimeoutExpired:
                return test
            if result.returncode != 0:
                return test
        return None

    def try_mutant(self, mutant):
        """killed, lives, same (as the original) or broken (no C)."""
        original = ROOT / "src" / f"{mutant.target}.c"
        with tempfile.TemporaryDirectory(dir=self.directory) as name:
            directory = pathlib.Path(name)
            source, target = directory / "mutant.c", directory / "mutant.o"
            source.write_text(mutant.text)
            try:
                self.compile(source, target)
            except subprocess.CalledProcessError:
                return "broken"
            if self.code(target) == self.code(self.object_of(original)):
                return "same"
            self.link(directory, {original: target})
            return "killed" if self.killer(mutant.target, directory) else "lives"

    @staticmethod
    def code(path):
        dump = subprocess.run(["objdump", "-s", "-d", "-r", path], capture_output=True, text=True, check=True).stdout
        return dump.split("\n", 3)[3].replace(".comment", "")


def justified():
    if not JUSTIFIED.exists():
        return set()
    lines = JUSTIFIED.read_text().splitlines()
    return {line.removeprefix("= ") for line in lines if line.startswith("= ")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="the mutants, without trying them")
    parser.add_argument("files", nargs="*", help="such as token/verify")
    options = parser.parse_args()
    mutants = [mutant for target in options.files or TARGETS for mutant in mutants_of(target)]
    if options.list:
        print(*mutants, sep="\n")
        return 0
    directory = tempfile.mkdtemp(prefix="xa-mutation-")
    try:
        bench = Bench(directory)
        failing = bench.killer("token/verify", bench.directory)
        if failing:
            print(f"mutation: {failing} fails without any mutant", file=sys.stderr)
            return 2
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            ends = list(pool.map(bench.try_mutant, mutants))
    finally:
        shutil.rmtree(directory)
    excused = justified()
    living = [str(mutant) for mutant, end in zip(mutants, ends) if end == "lives"]
    holes = [text for text in living if text not in excused]
    stale = sorted(excused - set(living)) if not options.files else []
    for text in holes:
        print(f"lives: {text}")
    for text in stale:
        print(f"justified, but not alive: {text}")
    print(f"mutation: {len(mutants)} mutants, {ends.count('killed')} killed, {ends.count('same')} the same code, "
          f"{ends.count('broken')} no C, {len(living) - len(holes)} justified, {len(holes)} live")
    return 1 if holes or stale else 0


if __name__ == "__main__":
    sys.exit(main())
