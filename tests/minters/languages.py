"""The minters of docs/examples/minters, each behind a driver that calls it once for each line of its standard input."""

import collections
import os
import pathlib
import shutil
import subprocess

TREE = pathlib.Path(__file__).resolve().parents[2]
MINTERS = TREE / "docs" / "examples" / "minters"
DRIVERS = pathlib.Path(__file__).resolve().parent / "drivers"

# place: where the minter goes below the driver, where that is not beside it.
Language = collections.namedtuple("Language", "minter driver tools build run place", defaults=[""])

LANGUAGES = {
    "python": Language("mint.py", "driver.py", ["/usr/bin/python3"], [], ["/usr/bin/python3", "-B", "driver.py"]),
    "php": Language("mint.php", "driver.php", ["php"], [], ["php", "driver.php"]),
    "node": Language("mint.mjs", "driver.mjs", ["node"], [], ["node", "driver.mjs"]),
    "ruby": Language("mint.rb", "driver.rb", ["ruby"], [], ["ruby", "-w", "driver.rb"]),
    "go": Language("mint.go", "driver.go", ["go"], ["go", "build", "-o", "driver", "driver.go"], ["./driver"], "mint"),
    "java": Language("Mint.java", "Driver.java", ["javac", "java"], ["javac", "-Xlint:all", "-Werror", "Driver.java"],
                     ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "Driver"]),
    "csharp": Language("Mint.cs", "Driver.cs", ["mcs", "mono"],
                       ["mcs", "-warnaserror", "-out:driver.exe", "Driver.cs", "Mint.cs"], ["mono", "driver.exe"]),
}


def required():
    """The languages that must be there; the others are tried where they are."""
    return os.environ.get("XMPP_AUTHD_MINTERS", "python php node ruby").split()


def missing_tools(name):
    return [tool for tool in LANGUAGES[name].tools if not shutil.which(tool)]


class Program:
    """A minter that is ready to be called."""

    def __init__(self, name, directory):
        self.language, self.directory = LANGUAGES[name], directory
        beside = directory / self.language.place
        beside.mkdir(exist_ok=True)
        shutil.copy(MINTERS / self.language.minter, beside)
        shutil.copy(DRIVERS / self.language.driver, directory)
        (directory / "go.mod").write_text("module minters\n")
        if self.language.build:
            self._run(self.language.build, "", {}, check=True)

    def _run(self, command, questions, secrets, check):
        caches = {"HOME": str(self.directory), "GOCACHE": str(self.directory / "cache"), "GOFLAGS": "-mod=mod"}
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **caches, **secrets}
        return subprocess.run(command, input=questions, cwd=self.directory, env=environment, capture_output=True, text=True,
                              encoding="utf-8", timeout=120, check=check)

    def call(self, calls, secrets=()):
        """Its answers to calls, each a sequence of what the driver is told: the finished process."""
        lines = "".join("\t".join(map(str, call)) + "\n" for call in calls)
        return self._run(self.language.run, lines, dict(secrets), check=False)

    def tokens(self, calls, secrets=()):
        result = self.call(calls, secrets)
        assert (result.returncode, result.stderr) == (0, "")
        tokens = result.stdout.splitlines()
        assert len(tokens) == len(calls)
        return tokens
