"""hand_over.py NAMES NUMBERS PROGRAM ARGUMENT...: runs a program in this process with the descriptors of these numbers, which
commas separate, as a service manager hands them over (sd_listen_fds(3)): from 3 on, with their names, which colons separate."""

import os
import sys

FIRST = 3
names, numbers, program = sys.argv[1], sys.argv[2], sys.argv[3:]
# Out of each other's way first.
away = [os.dup2(int(number), 500 + i) for i, number in enumerate(numbers.split(",")) if number]
for i, descriptor in enumerate(away):
    os.dup2(descriptor, FIRST + i)
    os.close(descriptor)
os.closerange(FIRST + len(away), 500)
if away:
    os.environ.setdefault("LISTEN_PID", str(os.getpid()))
    os.environ.update(LISTEN_FDS=str(len(away)), LISTEN_FDNAMES=names)
os.execv(program[0], program)
