"""The manual pages are well formed and say what the programs do."""

import re
import subprocess

import pytest

from documents import MANUALS, ROOT, manual, run

PAGES = sorted(MANUALS.iterdir())
PROGRAMS = ["xmpp-authd", "xmpp-authctl", "xmpp-extauth"]


def lint(page):
    """mandoc's complaints. It looks for the pages that are referred to where they would be installed; ours count where
    they are."""
    output = subprocess.run(["mandoc", "-Tlint", page], capture_output=True, text=True, check=False).stdout
    complaints = []
    for line in output.splitlines():
        reference = re.search(r"referenced manual not found: Xr (\S+) (\d)", line)
        if not reference or not (MANUALS / f"{reference[1]}.{reference[2]}").exists():
            complaints.append(line)
    return complaints


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_mandoc_has_nothing_to_say_about(page):
    assert lint(page) == []


def test_lint_finds_a_page_that_does_not_exist(tmp_path):
    page = tmp_path / "xmpp-authd.8"
    page.write_text((MANUALS / page.name).read_text().replace(".Xr xmpp-authd.conf 5", ".Xr xmpp-authd.config 5"))
    assert any("Xr xmpp-authd.config 5" in complaint for complaint in lint(page))


def items(page, section):
    """What the items of a section's lists are about: the words of each .It line."""
    text = (MANUALS / page).read_text()
    body = re.search(rf"^\.S[hs] {section}$(.*?)(?=^\.S[hs] |\Z)", text, flags=re.DOTALL | re.MULTILINE)[1]
    return [re.sub(r"^\.It (Li|Dv|Fl) ", "", line) for line in body.splitlines() if line.startswith(".It ")]


def test_every_reason_stands_in_the_daemons_page_in_the_codes_order():
    source = (ROOT / "src" / "token" / "reason.c").read_text()
    words = re.findall(r'\[REASON_\w+\] = "([a-z-]+)"', source)
    assert len(words) >= 14
    assert items("xmpp-authd.8", "VERDICTS") == words


def arguments_of_calls(source, function):
    """The argument lists of all calls of a function, each split at its commas."""
    for match in re.finditer(rf"\b{function}\(", source):
        depth, start, parts = 1, match.end(), []
        for at in range(match.end(), len(source)):
            depth += {"(": 1, ")": -1}.get(source[at], 0)
            if depth == 0 or (depth == 1 and source[at] == ","):
                parts.append(source[start:at])
                start = at + 1
            if depth == 0:
                break
        yield parts


def logged_events():
    """Every event that the daemon's code can log: the literals that stand where the event is an argument."""
    events = set()
    places = {"log_begin": 2, "log_event": 1, "log_event_text": 1}
    for path in (ROOT / "src" / "daemon").glob("*.c"):
        source = path.read_text()
        for function, place in places.items():
            for parts in arguments_of_calls(source, function):
                if "enum log_level level" not in " ".join(parts) and parts[-1].strip() != "NULL":
                    events |= set(re.findall(r'"([^"]+)"', parts[place]))
    return events


def test_every_event_that_the_daemon_logs_stands_in_its_page_and_no_other():
    documented = {event for line in items("xmpp-authd.8", "Other events") for event in line.split(" , ")}
    page = (MANUALS / "xmpp-authd.8").read_text()
    documented |= {event for event in ("verdict", "verdicts-summed") if f".Li event={event}" in page}
    assert documented == logged_events()


def test_every_key_of_a_verdict_stands_in_the_daemons_page():
    source = (ROOT / "src" / "daemon" / "verdict_log.c").read_text()
    keys = set(re.findall(r'logfmt_\w+\((?:&line(?:\.|->)fields|fields), "(\w+)"', source))
    assert len(keys) >= 9
    documented = {key for line in items("xmpp-authd.8", "Verdicts") for key in line.split(" , ")}
    assert documented | {"count", "section"} == keys


def options_of_help(*command):
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", run(*command).stdout))


def test_the_daemons_options_stand_in_its_page_and_no_other():
    lines = items("xmpp-authd.8", "DESCRIPTION")
    documented = {"-" + flag for line in lines for flag in re.findall(r"(?:^|Fl )(-?\w[\w-]*)", line)}
    assert documented == options_of_help("xmpp-authd", "--help") | {"-h"}


COMMANDS = ["keygen", "rotate", "keys", "mint", "check", "query", "ping", "status", "top", "why", "deny", "allow", "denied", "users", "doctor", "check-minter"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_lines_options_stand_in_its_page(command):
    page = manual("xmpp-authctl")
    assert [option for option in options_of_help("xmpp-authctl", command, "--help") if option not in page] == []


def test_the_command_line_has_the_commands_that_are_checked_here():
    listed = re.findall(r"^  ([a-z][a-z-]*)", run("xmpp-authctl", "--help").stdout, flags=re.MULTILINE)
    assert listed == COMMANDS


@pytest.mark.parametrize("program", PROGRAMS)
def test_there_is_a_page_for(program):
    assert len(list(MANUALS.glob(f"{program}.[18]"))) == 1


@pytest.mark.parametrize(
    "arguments, status",
    [(["--help"], 0), (["--version"], 0), (["--no-such-option"], 2), (["-c", "/nowhere"], 1)],
    ids=str,
)
def test_the_daemons_exit_statuses_are_those_of_its_page(arguments, status):
    assert items("xmpp-authd.8", "EXIT STATUS") == [".It 0", ".It 1", ".It 2"]
    assert run("xmpp-authd", *arguments).returncode == status


@pytest.mark.parametrize(
    "path",
    ["/etc/xmpp-authd/xmpp-authd.conf", "/run/xmpp-authd/auth.sock", "/run/xmpp-authd/control.sock",
     "/var/lib/xmpp-authd"],
)
def test_the_default_paths_are_the_same_everywhere(path):
    """In both pages, and in what the programs say or do without being told."""
    for page in ("xmpp-authd.8", "xmpp-authd.conf.5"):
        assert f".It Pa {path}" in (MANUALS / page).read_text()
    code = "".join(source.read_text() for source in (ROOT / "src").rglob("*.[ch]"))
    assert path in code or path.endswith("/control.sock")


def test_the_service_runs_what_the_pages_describe():
    unit = (ROOT / "systemd" / "xmpp-authd.service").read_text()
    assert "ConditionPathExists=/etc/xmpp-authd/xmpp-authd.conf\n" in unit
    assert "RuntimeDirectory=xmpp-authd\n" in unit
    assert "kill -HUP $MAINPID\n" in unit
    assert "xmpp-authd-clients" in (ROOT / "systemd" / "xmpp-authd.sysusers").read_text()
    assert '"xmpp-authd-clients"' in (ROOT / "src" / "config" / "listeners.c").read_text()
