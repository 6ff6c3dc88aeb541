"""The Makefile's VERSION is the one place: programs, changes, packages and the source archive have the same. The archive has the
same bytes whoever makes it, in a clone or in an unpacked archive."""

import os
import re
import shutil
import subprocess
import tarfile

import pytest

from documents import BUILD, ROOT, run

[VERSION] = re.findall(r"^VERSION := (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_it_is_semantic():
    assert re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?", VERSION)


@pytest.mark.parametrize("program", ["xmpp-authd", "xmpp-authctl", "xmpp-extauth"])
def test_the_programs_say_it(program):
    assert run(program, "--version").stdout == f"{program} {VERSION}\n"


def test_the_newest_changes_are_its():
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert newest[1] == VERSION


def test_the_debian_packages_have_it():
    changelog = (ROOT / "packaging" / "debian" / "changelog").read_text()
    assert changelog.startswith(f"xmpp-authd ({VERSION.replace('-', '~')}) ")


def test_the_debian_copyright_is_the_licence():
    licence = (ROOT / "LICENSE").read_text().split("\n\n", 2)[2]
    shown = (ROOT / "packaging" / "debian" / "copyright").read_text().partition("License: Expat\n")[2].replace("\n .\n", "\n\n")
    assert shown.split() == licence.split()


def test_the_debian_packages_are_built_with_what_the_build_installs():
    installs = (ROOT / "tools" / "install-packages").read_text()
    [wanted] = re.findall(r'^build="([^"]*)"$', installs, flags=re.MULTILINE)
    control = (ROOT / "packaging" / "debian" / "control").read_text()
    [needs] = re.findall(r"^Build-Depends: ((?:.*\n)(?: .*\n)*)", control, flags=re.MULTILINE)
    # What Debian's build-essential brings.
    assert set(wanted.split()) - {"gcc", "make", "libc6-dev"} <= set(re.findall(r"[a-z0-9][a-z0-9.+-]+", needs))


def make_dist(tree, directory, **environment):
    directory.mkdir()
    command = ["make", "-s", "-C", tree, f"BUILD={directory}", "dist"]
    names = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env={**names, **environment})
    assert result.returncode == 0, result.stderr
    assert [path.name for path in directory.iterdir()] == [f"xmpp-authd-{VERSION}.tar.gz"]
    return directory / f"xmpp-authd-{VERSION}.tar.gz"


@pytest.fixture(name="archive", scope="module")
def build_archive(tmp_path_factory):
    return make_dist(ROOT, tmp_path_factory.mktemp("dist") / "once")


def test_the_archive_is_made_with_the_same_bytes_elsewhere_and_later(archive, tmp_path):
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns("build", "node_modules", "__pycache__")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=ignored, copy_function=shutil.copy)
    again = make_dist(copy, tmp_path / "again", TZ="Pacific/Kiritimati", LC_ALL="C", SOURCE_DATE_EPOCH=str(epoch(archive)))
    assert again.read_bytes() == archive.read_bytes()


def test_the_archive_makes_itself_anew_without_git(archive, tmp_path):
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path)
    assert not (tmp_path / f"xmpp-authd-{VERSION}" / ".git").exists()
    again = make_dist(tmp_path / f"xmpp-authd-{VERSION}", tmp_path / "again")
    assert again.read_bytes() == archive.read_bytes()


def epoch(archive):
    with tarfile.open(archive) as tar:
        [time] = {member.mtime for member in tar}
    return time


def test_the_archive_belongs_to_nobody_and_is_sorted_and_of_one_time(archive):
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    names = [member.name for member in members]
    assert names == sorted(names) and {name.split("/")[0] for name in names} == {f"xmpp-authd-{VERSION}"}
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
    assert {member.mode for member in members} <= {0o644, 0o755}
    assert epoch(archive) > 0


def test_the_archive_has_what_the_build_needs_and_nothing_built(archive):
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    for name in ("Makefile", "LICENSE", "README.md", "CHANGELOG.md", "src/xmpp-authd.c", "packaging/debian/rules"):
        assert name in names
    assert not any(name.startswith(("build/", ".git/")) or name.endswith((".o", ".pyc")) for name in names)
    assert BUILD.name not in names
