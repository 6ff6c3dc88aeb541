#include "store/journal_segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/whole_file.h"

enum { NAME_SIZE = 32, DIGITS = 20 };

static const char prefix[] = "spent-";

static void write_name(char name[NAME_SIZE], uint64_t first_number)
{
    snprintf(name, NAME_SIZE, "%s%0*" PRIu64, prefix, DIGITS, first_number);
}

static bool parse_name(const char *name, uint64_t *first_number_r)
{
    size_t length = strlen(prefix);
    char canonical[NAME_SIZE];

    if (strncmp(name, prefix, length) != 0)
        return false;
    *first_number_r = strtoull(name + length, NULL, 10);
    write_name(canonical, *first_number_r);
    return strcmp(name, canonical) == 0;
}

static bool insert_sorted(struct segment **list, uint64_t first_number)
{
    struct segment *segment = calloc(1, sizeof(*segment));

    if (segment == NULL)
        return false;
    segment->first_number = segment->end_number = first_number;
    while (*list != NULL && (*list)->first_number < first_number)
        list = &(*list)->next;
    segment->next = *list;
    *list = segment;
    return true;
}

struct segment *segments_find(int directory, bool *failed_r)
{
    int descriptor = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = descriptor < 0 ? NULL : fdopendir(descriptor);
    struct segment *list = NULL;
    const struct dirent *entry;
    uint64_t first_number;

    *failed_r = stream == NULL;
    if (stream == NULL) {
        if (descriptor >= 0)
            close(descriptor);
        return NULL;
    }
    while ((entry = readdir(stream)) != NULL) {
        if (parse_name(entry->d_name, &first_number) && !insert_sorted(&list, first_number))
            *failed_r = true;
    }
    closedir(stream);
    return list;
}

bool segment_is_empty(const struct segment *segment)
{
    return segment->end_number == segment->first_number;
}

void segment_note(struct segment *segment, struct stretch steps, uint64_t count)
{
    if (segment_is_empty(segment) || steps.begin < segment->steps.begin)
        segment->steps.begin = steps.begin;
    if (segment_is_empty(segment) || steps.end > segment->steps.end)
        segment->steps.end = steps.end;
    segment->end_number += count;
}

/* Reads on until the wanted bytes are there; false at the end of the file, in the midst of them
 * too. */
static bool read_exactly(FILE *file, uint8_t *bytes, size_t size)
{
    return fread(bytes, 1, size, file) == size;
}

static void read_records(FILE *file, uint64_t journal, struct segment *segment, bool same_boot,
                         journal_loader *load, void *context)
{
    uint8_t bytes[JOURNAL_RECORD_SIZE];
    struct journal_record record;

    while (read_exactly(file, bytes, sizeof(bytes)) &&
           journal_record_decode(bytes, journal, segment->end_number, &record) == 0) {
        segment_note(segment, journal_record_step(&record), 1);
        load(context, &record, same_boot);
    }
}

bool segment_read(int directory, uint64_t journal, struct segment *segment, bool same_boot,
                  journal_loader *load, void *context)
{
    char name[NAME_SIZE];
    uint8_t header[JOURNAL_SEGMENT_HEADER_SIZE];
    uint64_t first_number;
    int descriptor;
    FILE *file;
    bool is_ours;

    write_name(name, segment->first_number);
    descriptor = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    file = descriptor < 0 ? NULL : fdopen(descriptor, "r");
    if (file == NULL) {
        if (descriptor >= 0)
            close(descriptor);
        return false;
    }
    is_ours = read_exactly(file, header, sizeof(header)) &&
              journal_segment_decode(header, journal, &first_number) == 0 &&
              first_number == segment->first_number;
    if (is_ours)
        read_records(file, journal, segment, same_boot, load, context);
    fclose(file);
    return is_ours;
}

int segment_create(int directory, uint64_t journal, uint64_t first_number)
{
    char name[NAME_SIZE];
    uint8_t header[JOURNAL_SEGMENT_HEADER_SIZE];
    int descriptor;

    write_name(name, first_number);
    journal_segment_encode(first_number, journal, header);
    /* A file of that name holds nothing that was ever answered for: else the number would not be
     * free. */
    descriptor =
        openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return -1;
    if (write_all_at(descriptor, header, sizeof(header), 0) != 0) {
        int error = errno;

        close(descriptor);
        unlinkat(directory, name, 0);
        errno = error;
        return -1;
    }
    return descriptor;
}

int segment_sync(int directory, const struct segment *segment)
{
    char name[NAME_SIZE];
    int descriptor, result;

    write_name(name, segment->first_number);
    descriptor = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return -1;
    result = fsync(descriptor);
    close(descriptor);
    return result;
}

void segment_unlink(int directory, const struct segment *segment)
{
    char name[NAME_SIZE];

    write_name(name, segment->first_number);
    unlinkat(directory, name, 0);
}
