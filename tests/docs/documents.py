"""What the document tests share: the tree, the built programs, the table of settings, and readers for manual pages, the
sample configuration and Markdown."""

import collections
import functools
import os
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD", ROOT / "build"))
MANUALS = ROOT / "docs" / "man"
SAMPLE = ROOT / "conf" / "xmpp-authd.conf"
README = ROOT / "README.md"

Setting = collections.namedtuple("Setting", "section name kind default minimum maximum choices restart")
Documented = collections.namedtuple("Documented", "section name choices text")


def run(program, *arguments, **options):
    """Runs a built program to its end; text in and out."""
    return subprocess.run(
        [BUILD / program, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, **options
    )


def keygen(host):
    return run("xmpp-authctl", "keygen", host).stdout


def write_configuration(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


@functools.lru_cache
def table():
    """The table of settings as the compiler sees it, in its order."""
    with tempfile.TemporaryDirectory() as directory:
        program = pathlib.Path(directory) / "print_settings"
        sources = [ROOT / "tests" / "docs" / "print_settings.c", ROOT / "src" / "config" / "settings.c"]
        compiler = os.environ.get("CC", "cc").split()
        subprocess.run([*compiler, "-std=c11", "-D_GNU_SOURCE", f"-I{ROOT}/src", "-o", program, *sources], check=True)
        lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    settings = []
    for line in lines:
        section, name, kind, default, minimum, maximum, choices, change = line.split("\t")
        default = None if default == "-" else default
        settings.append(
            Setting(section, name, kind, default, int(minimum), int(maximum), choices.split(), change == "restart")
        )
    return tuple(settings)


UNITS = {
    "number": {"": 1},
    "size": {"": 1, "k": 1 << 10, "m": 1 << 20},
    "duration": {"": 1000, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000},
}


def scaled(kind, text):
    """A number, size (bytes) or duration (ms) as the daemon takes it; any other value as it is written."""
    if kind not in UNITS:
        return text
    number, unit = re.fullmatch(r"(\d+)([a-z]?)", text).groups()
    return int(number) * UNITS[kind][unit]


def words(line):
    """A line of mdoc as a reader sees it: without its macros, closing punctuation joined to the word before."""
    line = re.sub(r"^\.\s*", "", line) if line.startswith(".") else line
    line = re.sub(r"\b(Li|Ic|Ar|Cm|Pa|Dv|Dq|Pq|Sq|Sx|No|Ns|Fl|Er|Xr)\b ?", "", line)
    return re.sub(r" ([.,;:)])(?= |$)", r"\1", line.replace("\\&", ""))


def documented_settings():
    """The settings of xmpp-authd.conf(5) in its order: everything in its section SETTINGS that is an item of a list."""
    page = (MANUALS / "xmpp-authd.conf.5").read_text()
    body = page[page.index(".Sh SETTINGS") : page.index(".Sh DETAILS")]
    settings = []
    section, in_list = None, False
    for line in body.splitlines():
        in_list = (in_list or line.startswith(".Bl")) and line != ".El"
        header = re.fullmatch(r"\.Ss The (\[.*\]) section", line)
        item = re.fullmatch(r"\.It Ic (\w+) No = (.*)", line)
        assert not line.startswith(".Ss") or header, line
        assert not line.startswith(".It") or item, line
        if header:
            section = header[1]
        elif item:
            choices = re.sub(r" Ns Ar \w+", "", item[2][3:]).split(" | ") if item[2].startswith("Cm ") else []
            settings.append(Documented(section, item[1], choices, []))
        elif in_list and not line.startswith(".Bl"):
            settings[-1].text.append(words(line))
    return [setting._replace(text=" ".join(setting.text)) for setting in settings]


def sample_settings():
    """(section, name, value, commented out) for each setting of the sample, and the headers with the same mark. Prose
    is what follows `# `; a setting or header that is commented out has its # right before it."""
    settings, headers = [], []
    for line in SAMPLE.read_text().splitlines():
        header = re.fullmatch(r"(#?)(\[.+\])", line)
        setting = re.fullmatch(r"(#?)(\w+) =(?: (.+))?", line)
        assert header or setting or line == "" or re.match(r"#( |$)", line), f"neither setting nor comment: {line}"
        if header:
            headers.append((header[2], header[1] == "#"))
        elif setting:
            settings.append((headers[-1][0], setting[2], setting[3] or "", setting[1] == "#"))
    return settings, headers


def manual(name):
    """A manual page as a person reads it, on one endless line."""
    source = next(MANUALS.glob(f"{name}.[1-8]"))
    rendered = subprocess.run(["mandoc", "-T", "ascii", source], capture_output=True, text=True, check=True).stdout
    return " ".join(re.sub(".\b", "", rendered).split())


def fences(path, language):
    """The fenced blocks of one language in a Markdown file."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), flags=re.DOTALL | re.MULTILINE)
