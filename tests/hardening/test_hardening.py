"""The programs are built so that a slip in memory ends the process and lets nobody in, and so that this is seen where it is not."""

import os
import pathlib
import platform
import subprocess

import properties
import pytest
from program import Program

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD", TREE / "build"))
CC = os.environ.get("XMPP_AUTHD_CC", "gcc")

# What each program is linked of, by the Makefile.
ROOMS = {
    "xmpp-authd": ("base", "token", "store", "wire", "config", "daemon"),
    "xmpp-authctl": ("base", "token", "wire", "config", "doctor", "ctl"),
    "xmpp-extauth": ("relay",),
}
ANYWHERE = [
    properties.position_independent,
    properties.relocations_are_read_only,
    properties.stack_is_not_executed,
    properties.nothing_is_written_and_executed,
    properties.only_code_is_executed,
    properties.libraries_come_from_the_system,
    properties.code_is_never_changed,
]
# These are looked for in the instructions, or are the C library's.
LINKED_WITH_GLIBC = [
    properties.frames_are_guarded,
    properties.writes_are_bounded,
    properties.stack_grows_by_pages,
]
x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="it is looked for in instructions of x86-64")


def objects_of(name):
    return [BUILD / "obj" / f"{name}.o", *(path for room in ROOMS[name] for path in sorted((BUILD / "obj" / room).glob("*.o")))]


def start_file():
    """What the C library begins a program with."""
    path = subprocess.run([CC, "-print-file-name=Scrt1.o"], capture_output=True, text=True, check=True).stdout.strip()
    return path if os.path.isabs(path) else None


@pytest.fixture(scope="module", params=ROOMS)
def program(request):
    return Program(BUILD / request.param, objects_of(request.param))


@pytest.mark.parametrize("property_of", ANYWHERE, ids=lambda function: function.__name__)
def test_each_program(program, property_of):
    assert property_of(program) == []


@x86_64
@pytest.mark.parametrize("property_of", LINKED_WITH_GLIBC, ids=lambda function: function.__name__)
def test_each_programs_instructions(program, property_of):
    assert property_of(program) == []


@x86_64
def test_each_programs_jumps_and_returns(program):
    assert len(program.objects) > 5
    assert properties.jumps_and_returns_are_checked(program, start_file()) == []


@pytest.mark.parametrize("property_of", ANYWHERE, ids=lambda function: function.__name__)
def test_the_relay_without_libraries(property_of):
    assert property_of(Program(BUILD / "static" / "xmpp-extauth")) == []


# --- each of them is missed where it is not ---

SOURCE = r"""
#include <stdio.h>
#include <string.h>
#ifdef CHANGED_CODE
__asm__(".text\n.quad main\n");
#endif
#ifdef WRITABLE_CODE
__asm__(".section .both,\"awx\"\n.quad 0\n.text\n");
#endif
static const char shown[] = "a constant that is looked for among the code";
int main(int count, char **words)
{
    char text[3 * 4096];

    if (count > 1)
        memcpy(text, words[1], (size_t)count * 100);
    return printf("%s %.9s", count > 1 ? text : shown, words[0]) < 0;
}
"""
HARDENED = ["-O2", "-fPIE", "-fstack-protector-strong", "-fstack-clash-protection", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2",
            *(["-fcf-protection=full"] if platform.machine() == "x86_64" else [])]
LINKED = ["-pie", "-Wl,-z,relro,-z,now", "-Wl,-z,separate-code"]
MISSING = {
    "fixed addresses": (properties.position_independent, ["-fno-pie", "-no-pie"]),
    "writable relocations": (properties.relocations_are_read_only, ["-Wl,-z,norelro"]),
    "late relocations": (properties.relocations_are_read_only, ["-Wl,-z,lazy"]),
    "an executable stack": (properties.stack_is_not_executed, ["-Wl,-z,execstack"]),
    "code that can be written": (properties.nothing_is_written_and_executed, ["-DWRITABLE_CODE"]),
    "constants among the code": (properties.only_code_is_executed, ["-Wl,-z,noseparate-code"]),
    "libraries of its own": (properties.libraries_come_from_the_system, ["-Wl,-rpath,/nowhere"]),
    "code that is changed": (properties.code_is_never_changed, ["-DCHANGED_CODE", "-Wl,-z,notext"]),
}
MISSING_ON_X86_64 = {
    "no guards": (properties.frames_are_guarded, ["-fno-stack-protector"]),
    "no bounds": (properties.writes_are_bounded, ["-U_FORTIFY_SOURCE"]),
    "large frames at once": (properties.stack_grows_by_pages, ["-fno-stack-clash-protection"]),
    "unchecked jumps": (lambda program: properties.jumps_and_returns_are_checked(program, None), ["-fcf-protection=return"]),
    "unchecked returns": (lambda program: properties.jumps_and_returns_are_checked(program, None), ["-fcf-protection=branch"]),
}


def build(directory, options=()):
    source, object_file, path = directory / "program.c", directory / "program.o", directory / "program"
    source.write_text(SOURCE)
    compiled = [option for option in options if not option.startswith("-Wl,") and option != "-no-pie"]
    subprocess.run(["gcc", *HARDENED, *compiled, "-c", "-o", object_file, source], check=True)
    subprocess.run(["gcc", *LINKED, "-o", path, object_file, *options], check=True, stderr=subprocess.DEVNULL)
    return Program(path, [object_file])


@pytest.fixture(scope="module")
def hardened(tmp_path_factory):
    return build(tmp_path_factory.mktemp("hardened"))


@pytest.mark.parametrize(("property_of", "options"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_missed(hardened, tmp_path, property_of, options):
    assert property_of(hardened) == []
    assert property_of(build(tmp_path, options)) != []


@x86_64
@pytest.mark.parametrize(("property_of", "options"), MISSING_ON_X86_64.values(), ids=MISSING_ON_X86_64)
def test_what_is_missing_from_the_instructions_is_missed(hardened, tmp_path, property_of, options):
    assert property_of(hardened) == []
    assert property_of(build(tmp_path, options)) != []
