"""What a program's file tells about how it was built, as readelf and objdump of binutils see it."""

import functools
import re
import subprocess


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, errors="replace").stdout


def features(path):
    """The x86 features that an object or a program says it is built for: of CET these are IBT and SHSTK."""
    found = re.findall(r"x86 feature: ([\w, ]+)", _run("readelf", "--wide", "--notes", path))
    return {name for line in found for name in line.split(", ")}


class Program:
    """A program's file, and the objects of its own that it was linked of."""

    def __init__(self, path, objects=()):
        self.path = path
        self.objects = tuple(objects)
        self.header = _run("readelf", "--wide", "--file-header", path)
        self.dynamic = _run("readelf", "--wide", "--dynamic", path)
        self.imports = set(re.findall(r" UND (\w+)", _run("readelf", "--wide", "--dyn-syms", path)))
        self._segments = _run("readelf", "--wide", "--segments", path)

    def uses_of(self, kind):
        """For each segment of a kind what its memory may be used for: of "R", "W" and "E"."""
        return re.findall(rf"^  {kind} +0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ ([RWE ]{{3}})", self._segments, re.MULTILINE)

    def sections_that_run(self):
        """The sections in segments that may be executed."""
        rows = re.findall(r"^   \d\d +(.*)$", self._segments, re.MULTILINE)
        kinds = re.findall(r"^  (\w+) +0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ ([RWE ]{3})", self._segments, re.MULTILINE)
        return {name for (kind, uses), row in zip(kinds, rows) if kind == "LOAD" and "E" in uses for name in row.split()}

    @functools.cached_property
    def functions(self):
        """Name and instructions of each function, as far as the file still has symbols. For x86-64."""
        listing = _run("objdump", "--disassemble", "--no-show-raw-insn", "--section=.text", self.path)
        parts = [part.partition("\n") for part in re.split(r"\n\n(?=[0-9a-f]+ <)", listing)[1:]]
        return [(head.split("<", 1)[1].rstrip(">:"), body) for head, _, body in parts]
