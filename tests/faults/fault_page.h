/*
 * What a test and the program under test have in common: a file that both have mapped. The test says in it which call is to fail,
 * and how; the program's calls are counted in it.
 */
#ifndef FAULT_PAGE_H
#define FAULT_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#define CALL(name, result_type, failure, parameters, arguments)       FAULT_##name,
#define OF_PROGRAM(name, result_type, failure, parameters, arguments) FAULT_##name,
#define TRANSFER(name, parameters, arguments)                         FAULT_##name,
#define WRITTEN_OUT(name)                                             FAULT_##name,
enum fault_call {
#include "fault_calls.def"
    FAULT_CALLS
};
#undef CALL
#undef OF_PROGRAM
#undef TRANSFER
#undef WRITTEN_OUT

/* What becomes of a call; errno is set where it fails. */
enum fault_fate { FATE_GOES_ON, FATE_FAILS, FATE_SHORT, FATE_END };

enum { FAULT_FRAMES = 12, FAULT_TRACED = 65536 };

/* In the place of an errno: the call succeeds with fewer bytes than it could, or with none. */
enum { ERROR_SHORT = -1, ERROR_END = -2 };

struct fault_page {
    atomic_uint call;     /* the one that is to fail, plus 1; 0: none */
    atomic_int countdown; /* calls of it up to the one that fails */
    atomic_int failures;  /* calls to fail */
    atomic_int error; /* errno of a failed call, the result where that is the error, or see above */
    atomic_int hits;  /* calls that were made to fail */
    atomic_uint
        seed; /* not 0: calls fail by chance, but only so that the program can just try again */
    _Atomic int64_t ahead_ns;      /* the program's clocks are ahead by so much */
    atomic_int descriptor;         /* that the last hit was about; -1: none, or not known */
    atomic_uint frame_count;       /* of the last hit */
    uint64_t frames[FAULT_FRAMES]; /* where the program called from, as offsets in its file */
    atomic_uint calls[FAULT_CALLS];
    atomic_uint chances[FAULT_CALLS]; /* calls that failed by chance */
    atomic_uint is_tracing, traced;   /* whether calls are noted, and how many were */
    uint32_t trace[FAULT_TRACED][2];  /* which call, and the digest of its whole stack */
};

/* What becomes of this call of a file or socket (-1: of neither). It is counted. */
enum fault_fate fault_judge(enum fault_call call, int descriptor);

#endif
