"""The Lua side by itself: its unit tests run without Prosody, and luacheck has nothing to say."""

import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_unit_tests():
    assert " 0 failed" in run("lua5.4", "tests/prosody/unit/run.lua")


def test_luacheck():
    run("luacheck", "--config", "tests/prosody/.luacheckrc", "conf/prosody", "tests/prosody")


def test_no_file_is_long():
    files = list((ROOT / "conf/prosody").rglob("*.lua"))
    assert files and all(len(path.read_text().splitlines()) <= 400 for path in files)
