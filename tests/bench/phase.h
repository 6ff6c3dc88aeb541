/* What stands beside clients in ping-pong for a while. */
#ifndef BENCH_PHASE_H
#define BENCH_PHASE_H

#include <sys/types.h>

#include "flood.h"

struct phase {
    const char *word;
    enum flood_kind kind;
    double rate;      /* questions a second; 0: no flood; INFINITY: as fast as it can */
    const char *file; /* that a reload reads; NULL: none */
};

/* A phase as fairness_load.c describes them; borrows and changes the text. 0, or -1. */
__attribute__((warn_unused_result)) int phase_parse(char *text, struct phase *phase_r);

/* Puts a phase's file in the place of the configuration of a server, and sends it SIGHUP. The file as
 * it is stays: another name of it is put there. 0, or -1 after saying what failed. */
__attribute__((warn_unused_result)) int phase_reload(const struct phase *phase,
                                                     const char *configuration, pid_t server);

#endif
