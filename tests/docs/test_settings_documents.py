"""The table of settings, xmpp-authd.conf(5), the sample configuration and the daemon itself say the same."""

import re

import pytest

from documents import SAMPLE, documented_settings, keygen, run, sample_settings, scaled, table, write_configuration

PAIRS = list(zip(table(), documented_settings()))
NAMED = {"[listen NAME]": "[listen x]", "[host DOMAIN]": "[host x]", "[key DOMAIN NAME]": "[key x y]"}


def name_of(pair):
    return f"{pair[0].section}-{pair[0].name}"


def keys():
    return "\n".join(line for line in keygen("x").splitlines() if " = " in line)


def test_manual_page_has_the_settings_of_the_table_in_its_order():
    assert [(s.section, s.name) for s in documented_settings()] == [(s.section, s.name) for s in table()]


@pytest.mark.parametrize("setting, documented", PAIRS, ids=map(name_of, PAIRS))
def test_manual_page_has_the_default_of(setting, documented):
    if setting.kind == "time":
        assert "Default: empty," in documented.text
    elif setting.default is None:
        assert "There is no default" in documented.text and "Default:" not in documented.text
    elif setting.default == "":
        assert re.search(r"Default: empty[.,]", documented.text)
    else:
        assert f"Default: {setting.default}. " in documented.text + " "


@pytest.mark.parametrize("setting, documented", PAIRS, ids=map(name_of, PAIRS))
def test_manual_page_has_the_bounds_of(setting, documented):
    bounds = re.search(r"From (\w+) to (\w+)\.", documented.text)
    if setting.kind in ("number", "size", "duration"):
        assert [scaled(setting.kind, bound) for bound in bounds.groups()] == [setting.minimum, setting.maximum]
    else:
        assert bounds is None


@pytest.mark.parametrize("setting, documented", PAIRS, ids=map(name_of, PAIRS))
def test_manual_page_has_the_words_for(setting, documented):
    words = {
        "isuser": ["always", "never", "seen", "Cm file:\\&"],
        "store": ["journal", "memory", "Cm redis://\\&", "Cm redis+unix:\\&"],
    }.get(setting.kind, setting.choices)
    assert documented.choices == words


@pytest.mark.parametrize("setting, documented", PAIRS, ids=map(name_of, PAIRS))
def test_manual_page_says_whether_a_restart_is_needed_for(setting, documented):
    assert documented.text.endswith("Needs a restart.") == setting.restart


def bounded_configuration(which, offset):
    """Every bounded setting of the manual page at a bound, or beyond it by offset; each host setting in a host of its
    own, for some bounds rule each other out. Also the lines of these settings."""
    lines, places, secrets = [], [], keys()
    single = {}
    for setting, documented in PAIRS:
        bounds = re.search(r"From (\w+) to (\w+)\.", documented.text)
        if not bounds:
            continue
        value = scaled(setting.kind, bounds[1 + which])
        value = value // 1000 + offset if setting.kind == "duration" else value + offset
        line = f"{setting.name} = {value}"
        if setting.section == "[host DOMAIN]":
            others = {"otp_interval": "otp_window = 0\n", "otp_window": "otp_interval = 1\n"}.get(setting.name, "")
            lines += f"[host {setting.name}]\n{secrets}\n{others}{line}".splitlines()
            places.append(len(lines))
        else:
            single.setdefault(setting.section, []).append(line)
    for section, section_lines in single.items():
        lines.append(section)
        for line in section_lines:
            lines.append(line)
            places.append(len(lines))
    return "\n".join(lines) + "\n", sorted(places)


@pytest.mark.parametrize("which, name", [(0, "lower"), (1, "upper")], ids=["lower", "upper"])
def test_daemon_takes_the_manual_pages_bounds(tmp_path, which, name):
    text, places = bounded_configuration(which, 0)
    result = run("xmpp-authd", "-c", write_configuration(tmp_path / name, text), "--check-config")
    assert (result.returncode, result.stderr) == (0, "")
    assert len(places) >= 9


@pytest.mark.parametrize("which, offset", [(0, -1), (1, 1)], ids=["below", "above"])
def test_daemon_takes_nothing_beyond_the_manual_pages_bounds(tmp_path, which, offset):
    text, places = bounded_configuration(which, offset)
    result = run("xmpp-authd", "-c", write_configuration(tmp_path / "beyond", text), "--check-config")
    refused = [int(line) for line in re.findall(r"beyond:(\d+): ", result.stderr)]
    negative = {i for i, line in enumerate(text.splitlines(), 1) if line.endswith("= -1")}
    assert result.returncode == 1
    assert sorted(set(refused) | negative) == places
    assert result.stderr.count("is out of bounds") == len(places) - len(negative)


@pytest.mark.parametrize("mode, accepted", [("0600", True), ("0777", True), ("0577", False), ("1777", False)])
def test_socket_modes_are_those_of_the_manual_page(tmp_path, mode, accepted):
    path = write_configuration(tmp_path / "modes", f"[server]\nmode = {mode}\ngroup = nogroup\n{keygen('x')}")
    assert (run("xmpp-authd", "-c", path, "--check-config").returncode == 0) == accepted


def test_dump_has_the_settings_of_the_table_with_their_defaults(tmp_path):
    text = f"[listen x]\npath = /x\n[host x]\n{keys()}\njsxc_secret = {keys()[-40:]}\n[key x y]\n{keys()}\n"
    dump = run("xmpp-authd", "-c", write_configuration(tmp_path / "dump", text), "--dump-config").stdout
    dumped = {}
    for line in dump.splitlines():
        if line.startswith("["):
            section = line
        elif line and not line.startswith("# "):
            name, value = line.split(" =")
            dumped.setdefault(section, {})[name] = value.strip()
    for setting in table():
        if setting.name == "http_password":
            continue  # it has no default, and is not set here
        value = dumped[NAMED.get(setting.section, setting.section)].pop(setting.name)
        if setting.kind == "secret":
            assert value == "(secret)"
        elif setting.section != "[listen NAME]" or setting.name != "path":
            assert scaled(setting.kind, value) == scaled(setting.kind, setting.default or "")
    assert not any(dumped.values()), "the dump knows settings that the table does not"


def test_sample_has_every_setting_at_its_default_and_nothing_else():
    settings, _ = sample_settings()
    form = {s.section.strip("[]").split()[0]: s.section for s in table()}
    in_sample = [(form[section.strip("[]").split()[0]], name) for section, name, _, _ in settings]
    assert sorted(in_sample) == sorted((s.section, s.name) for s in table())
    for (section, name, value, _), place in zip(settings, in_sample):
        setting = next(s for s in table() if (s.section, s.name) == place)
        if place != ("[listen NAME]", "path"):
            assert value == (setting.default or ""), f"{name} of {section}"


def test_sample_sets_what_has_a_default_and_comments_out_what_needs_a_name():
    settings, headers = sample_settings()
    commented = dict(headers)
    for header, is_comment in headers:
        assert is_comment == (" " in header), header
    for section, name, _, is_comment in settings:
        assert is_comment == commented[section], name


def test_sample_is_refused_until_keys_were_made(tmp_path):
    path = write_configuration(tmp_path / "sample", SAMPLE.read_text())
    result = run("xmpp-authd", "-c", path, "--check-config")
    assert result.returncode == 1
    assert "there is no [host DOMAIN] section" in result.stderr and len(result.stderr.splitlines()) == 1


def test_sample_is_right_once_keys_were_made(tmp_path):
    path = write_configuration(tmp_path / "sample", SAMPLE.read_text() + keygen("example.org"))
    result = run("xmpp-authd", "-c", path, "--check-config")
    assert (result.returncode, result.stderr) == (0, "")


def test_every_line_of_the_sample_can_be_used(tmp_path):
    """With its commented settings put in, and a value where one is needed."""
    text = re.sub(r"^#(?=\w+ =|\[)", "", SAMPLE.read_text(), flags=re.MULTILINE)
    # That belongs to an address, which takes the place of the path.
    text = text.replace("http_password =\n", "")
    secrets = iter(re.findall(r"= (\w+)", "\n".join(keys() for _ in range(3))))
    text = re.sub(r"^(otp_seed|token_secret|jsxc_secret) =$", lambda match: f"{match[0]} {next(secrets)}", text, flags=re.MULTILINE)
    result = run("xmpp-authd", "-c", write_configuration(tmp_path / "sample", text), "--check-config")
    assert (result.returncode, result.stderr) == (0, "")


def test_sample_names_no_secret():
    settings, _ = sample_settings()
    assert {value for _, name, value, _ in settings if name in ("otp_seed", "token_secret", "jsxc_secret")} == {""}
