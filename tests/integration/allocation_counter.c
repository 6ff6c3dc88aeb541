/*
 * Preloaded into the daemon: counts what it and its libraries allocate and free, in a file that the
 * test reads (XMPP_AUTHD_ALLOCATIONS: two numbers of eight bytes).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct counts {
    atomic_uint_fast64_t allocated, freed;
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

/* libcrypto's, from memory of its own. */
void *CRYPTO_secure_malloc(size_t size, const char *file, int line);
void CRYPTO_secure_clear_free(void *memory, size_t size, const char *file, int line);

static struct counts before_it_is_there;
static struct counts *counts = &before_it_is_there;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("XMPP_AUTHD_ALLOCATIONS");
    int descriptor = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *shared = MAP_FAILED;

    if (descriptor >= 0)
        shared = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (shared == MAP_FAILED)
        abort();
    close(descriptor);
    counts = shared;
}

void *malloc(size_t size)
{
    counts->allocated++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    counts->allocated++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    counts->allocated++;
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
    counts->allocated++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **memory_r, size_t alignment, size_t size)
{
    *memory_r = memalign(alignment, size);
    return *memory_r == NULL ? ENOMEM : 0;
}

void free(void *memory)
{
    counts->freed += memory != NULL;
    __libc_free(memory);
}

void *CRYPTO_secure_malloc(size_t size, const char *file, int line)
{
    void *(*next)(size_t size, const char *file, int line) = NULL;

    counts->allocated++;
    *(void **)&next = dlsym(RTLD_NEXT, "CRYPTO_secure_malloc");
    return next(size, file, line);
}

void CRYPTO_secure_clear_free(void *memory, size_t size, const char *file, int line)
{
    void (*next)(void *memory, size_t size, const char *file, int line) = NULL;

    counts->freed += memory != NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "CRYPTO_secure_clear_free");
    next(memory, size, file, line);
}
