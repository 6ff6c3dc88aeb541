"""One function for each property of a hardened program; each returns what is amiss, in words, or an empty list."""

import re

from program import features

# A frame of this size holds an array or something whose address was taken; smaller ones can be registers put aside.
FRAME = 128
# The stack's guard is a page: what takes more at once could step over it.
PAGE = 4096
# Fortify takes the place of these wherever they are called, whatever they write to.
ALWAYS_FORTIFIED = {"printf", "fprintf", "vprintf", "vfprintf", "dprintf", "vdprintf", "sprintf", "vsprintf"}
UNBOUNDED = {"gets", "strcpy", "strcat", "stpcpy", "sprintf", "vsprintf", "scanf", "sscanf"}


def _taken(body):
    """The bytes that each instruction takes from the stack, and the instruction that follows it."""
    taken = re.findall(r"sub +\$0x([0-9a-f]+),%rsp\n([^\n]*)", body)
    # Less than nothing is taken where it is given back.
    return [(int(size, 16), following) for size, following in taken if int(size, 16) < 1 << 31]


def position_independent(program):
    """The kernel chooses where it is."""
    faults = []
    if not re.search(r"Type: +DYN", program.header):
        faults.append("its addresses are fixed")
    if not re.search(r"FLAGS_1.*\bPIE\b", program.dynamic):
        faults.append("it is not marked as a position-independent program")
    return faults


def relocations_are_read_only(program):
    """The table of the libraries' functions is filled at the start and can't be written afterwards."""
    faults = [] if program.uses_of("GNU_RELRO") else ["nothing is made read-only after the start"]
    if not re.search(r"BIND_NOW|FLAGS_1.*\bNOW\b", program.dynamic):
        faults.append("functions are looked up when they are first called")
    return faults


def stack_is_not_executed(program):
    stack = program.uses_of("GNU_STACK")
    return [] if stack and not any("E" in uses for uses in stack) else ["what is on the stack can be executed"]


def nothing_is_written_and_executed(program):
    loaded = program.uses_of("LOAD")
    return [f"a segment is {uses}" for uses in loaded if "W" in uses and "E" in uses]


def only_code_is_executed(program):
    """Constants and tables are not in the pages that hold code."""
    other = program.sections_that_run() & {".rodata", ".eh_frame", ".dynstr", ".rela.dyn", ".data"}
    return [f"{name} can be executed" for name in sorted(other)]


def libraries_come_from_the_system(program):
    return ["it looks for libraries in a directory of its own"] if re.search(r"R(UN)?PATH", program.dynamic) else []


def code_is_never_changed(program):
    return ["its code is changed while it is loaded"] if "TEXTREL" in program.dynamic else []


def frames_are_guarded(program):
    """-fstack-protector-strong: a function notices before its return that an array was written past its end."""
    faults = []
    for name, body in program.functions:
        frame = sum(size for size, _ in _taken(body))
        # What never returns has no return address to guard.
        if frame >= FRAME and "%fs:0x28" not in body and re.search(r"\tret", body):
            faults.append(f"{name} has {frame} bytes on the stack and no guard")
    return faults


def writes_are_bounded(program):
    """Fortify: libc checks the size of what is written to, where the compiler knows it."""
    faults = [f"{name} is called as it is" for name in sorted(program.imports & (ALWAYS_FORTIFIED | UNBOUNDED))]
    if not any(name.endswith("_chk") for name in program.imports):
        faults.append("no call is checked")
    return faults


def stack_grows_by_pages(program):
    """-fstack-clash-protection: each page of a large frame is touched, so that none steps over the guard."""
    faults = []
    for name, body in program.functions:
        for size, following in _taken(body):
            touched = re.search(r"(or|mov)[bwlq]? +\$0x0,(0x\w+)?\(%rsp\)", following)
            if size > PAGE or (size == PAGE and not touched):
                faults.append(f"{name} takes {size} bytes of stack at once")
    return faults


def jumps_and_returns_are_checked(program, start_file):
    """CET. A program has the linker's mark if all that it is linked of has it, the C library's start file too. What is optimized as a
    whole is compiled once more by the linker, so its code is looked at too."""
    wanted = {"IBT", "SHSTK"}
    faults = [f"{path} is built without {name}" for path in program.objects for name in sorted(wanted - features(path))]
    faults += [f"{name}, which is called by its address, does not begin with endbr64" for name, body in program.functions
               if name == "main" and "endbr64" not in body.split("\n", 2)[0]]
    if start_file is not None and wanted <= features(start_file) and not wanted <= features(program.path):
        faults.append("the program is not marked, though the C library is")
    return faults
