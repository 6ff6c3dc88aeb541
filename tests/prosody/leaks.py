"""Finds tokens in files, by their shape: as they are, cut, or inside the base64 of a SASL message."""

import base64
import re

DIGITS = re.compile(rb"(?<!\d)\d{40}(?!\d)")
SIGNATURE = re.compile(rb"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{43}=(?!=)")
BASE64 = re.compile(rb"[A-Za-z0-9+/]{48,}")
NOT_WRITTEN_BY_ANY_SERVER = (".key", ".crt", ".conf", ".lua")


def leaks_in(data):
    """What in these bytes looks like a token or the greater part of one."""
    found = DIGITS.findall(data) + SIGNATURE.findall(data)
    for run in BASE64.findall(data):
        for offset in range(4):
            part = run[offset:]
            found += DIGITS.findall(base64.b64decode(part[: len(part) // 4 * 4]))
    return found


def leaks_below(directory):
    """(file name, what) for every file below the directory that a server wrote."""
    return [
        (path.name, what)
        for path in directory.rglob("*")
        if path.is_file() and path.suffix not in NOT_WRITTEN_BY_ANY_SERVER
        for what in leaks_in(path.read_bytes())
    ]
