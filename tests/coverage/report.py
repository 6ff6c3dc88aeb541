#!/usr/bin/python3
"""report.py FOLDER PROGRAM...: how much of src/ was reached by the runs that left their counts in FOLDER/raw.

Writes FOLDER/summary.txt and FOLDER/html. Ends with 1 where too few lines or branches were reached, or where a line was not
reached for a reason that uncovered.txt does not give.
"""

import dataclasses
import pathlib
import re
import subprocess
import sys

LEAST_LINES, LEAST_BRANCHES = 95.0, 85.0
ROOT = pathlib.Path(__file__).resolve().parents[2]
REASONS = ROOT / "tests" / "coverage" / "uncovered.txt"


@dataclasses.dataclass
class File:
    name: str
    lines: dict = dataclasses.field(default_factory=dict)
    functions: dict = dataclasses.field(default_factory=dict)
    branches: list = dataclasses.field(default_factory=list)

    def reached(self):
        return sum(count > 0 for count in self.lines.values()), len(self.lines)

    def branches_reached(self):
        return sum(self.branches), len(self.branches)


@dataclasses.dataclass
class Gap:
    """Lines in a row of one function that nothing reached, and the text that they can be known by."""
    file: str
    function: str
    first: int
    last: int
    shown: str
    text: str


@dataclasses.dataclass
class Entry:
    number: int
    by_chance: bool
    file: str
    function: str
    text: str
    used: bool = False

    def explains(self, gap):
        return (self.file, self.function) == (gap.file, gap.function) and self.text in gap.text


def tool(name, *arguments, **options):
    return subprocess.run([name, *map(str, arguments)], check=True, stdout=subprocess.PIPE, **options).stdout.decode()


def read_counts(folder, programs):
    """The files of src/, from llvm-cov's list of lines (DA), branches (BRDA) and functions (FN)."""
    profile = folder / "merged.profdata"
    tool("llvm-profdata", "merge", "-sparse", *sorted(folder.glob("raw/*.profraw")), "-o", profile)
    objects = [folder / programs[0], *(f"-object={folder / program}" for program in programs[1:])]
    tool("llvm-cov", "show", *objects, f"-instr-profile={profile}", "-format=html", f"-output-dir={folder / 'html'}",
         "-show-branches=count", "-show-line-counts-or-regions", stderr=subprocess.DEVNULL)
    files = []
    for line in tool("llvm-cov", "export", *objects, f"-instr-profile={profile}", "-format=lcov").splitlines():
        kind, _, rest = line.partition(":")
        if kind == "SF":
            files.append(File(str(pathlib.Path(rest).relative_to(ROOT / "src"))))
        elif kind == "FN":
            start, name = rest.split(",", 1)
            files[-1].functions[int(start)] = name.rpartition(":")[2]
        elif kind == "DA":
            number, count = rest.split(",")[:2]
            # What stands before all functions is a macro, which is counted where it is used.
            if int(number) >= min(files[-1].functions, default=sys.maxsize):
                files[-1].lines[int(number)] = int(count)
        elif kind == "BRDA":
            files[-1].branches.append(rest.rsplit(",", 1)[1] not in ("0", "-"))
    return [file for file in files if file.functions]


def condition_before(source, first):
    """The line before, and what it continues: the condition on which the lines from first on are run."""
    before = []
    for line in reversed(source[: first - 1]):
        if re.search(r"(;|\}|\*/|^)\s*$", line) or (before and line.rstrip().endswith(("{", ":"))):
            break
        before.insert(0, line)
    return before


def gaps_of(file):
    source = (ROOT / "src" / file.name).read_text().splitlines()
    starts, gaps, run = sorted(file.functions), [], []

    def function_of(number):
        return file.functions[max(start for start in starts if start <= number)]

    def end_run():
        if run:
            first, last = run[0], run[-1]
            text = "\n".join(condition_before(source, first) + source[first - 1: last])
            gaps.append(Gap(file.name, function_of(first), first, last, source[first - 1].strip(), text))
            run.clear()

    for number in sorted(file.lines):
        if file.lines[number] > 0 or (run and function_of(number) != function_of(run[0])):
            end_run()
        if file.lines[number] == 0:
            run.append(number)
    end_run()
    return gaps


def read_reasons():
    """Indented lines are entries, [sometimes] FILE FUNCTION: TEXT; what is not indented is the reason for those that follow it."""
    entries = []
    for number, line in enumerate(REASONS.read_text().splitlines(), 1):
        if not line.startswith("    "):
            continue
        match = re.fullmatch(r" +(sometimes )?(\S+) (\w+):(?: (.+))?", line)
        if not match:
            sys.exit(f"{REASONS.name}:{number}: not FILE FUNCTION: TEXT")
        entries.append(Entry(number, bool(match[1]), match[2], match[3], match[4] or ""))
    return entries


def share(reached, all_of_them):
    return 100.0 * reached / all_of_them if all_of_them else 100.0


def table(files):
    def row(name, lines, branches):
        return (f"{name:<34} {lines[0]:>6} of {lines[1]:>6} {share(*lines):7.2f} %"
                f" {branches[0]:>6} of {branches[1]:>6} {share(*branches):7.2f} %")

    def total(name, some):
        return row(name, [sum(column) for column in zip(*(file.reached() for file in some))],
                   [sum(column) for column in zip(*(file.branches_reached() for file in some))])

    rooms = {}
    for file in files:
        rooms.setdefault(file.name.rpartition("/")[0] or "(programs)", []).append(file)
    lines = [f"{'':<34} {'lines':>16} {'':9} {'branches':>16}"]
    lines += [row(file.name, file.reached(), file.branches_reached()) for file in files]
    lines += [""] + [total(room, some) for room, some in rooms.items()] + ["", total("all of src/", files)]
    return "\n".join(lines) + "\n"


def main():
    folder, programs = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    files = read_counts(folder, programs)
    summary = table(files)
    (folder / "summary.txt").write_text(summary)
    print(summary)
    faults, entries, explained = [], read_reasons(), 0
    for gap in (gap for file in files for gap in gaps_of(file)):
        matching = [entry for entry in entries if entry.explains(gap)]
        for entry in matching:
            entry.used = True
        if matching:
            explained += gap.last - gap.first + 1
        else:
            faults.append(f"src/{gap.file}:{gap.first}-{gap.last}: {gap.function}: not reached, and not explained: {gap.shown}")
    for entry in entries:
        if not entry.used and not entry.by_chance:
            print(f"{REASONS.name}:{entry.number}: explains nothing any more: {entry.file} {entry.function}: {entry.text}")
    lines = share(*[sum(column) for column in zip(*(file.reached() for file in files))])
    branches = share(*[sum(column) for column in zip(*(file.branches_reached() for file in files))])
    if lines < LEAST_LINES:
        faults.append(f"lines: {lines:.2f} % are less than {LEAST_LINES} %")
    if branches < LEAST_BRANCHES:
        faults.append(f"branches: {branches:.2f} % are less than {LEAST_BRANCHES} %")
    print("\n".join(faults) if faults else f"coverage: what is not reached, {explained} lines, is explained in {REASONS.name}")
    print(f"coverage: lines {lines:.2f} %, branches {branches:.2f} %; line by line in {folder / 'html' / 'index.html'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
