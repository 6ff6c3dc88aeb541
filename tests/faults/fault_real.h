/* How the shim's functions find those that they stand before. */
#ifndef FAULT_REAL_H
#define FAULT_REAL_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

/* Calls that the shim itself causes are neither counted nor made to fail. */
extern _Thread_local bool fault_inside;

/* Looked for once; where two threads do, they find the same. */
#define REAL(name, type)                                                                           \
    static __typeof__(type) real;                                                                  \
    if (real == NULL) {                                                                            \
        fault_inside = true;                                                                       \
        real = (__typeof__(type))dlsym(RTLD_NEXT, name);                                           \
        fault_inside = false;                                                                      \
    }

#define ALSO(name, other)                                                                          \
    __typeof__(shim_##name) shim_##other __asm__(#other) __attribute__((alias(#name)));

/* How many bytes of so many a short call takes. */
size_t fault_shortened(size_t size);

/* The clocks are ahead by so many nanoseconds. */
long long fault_ahead(void);

#endif
