/* Heap first, then a mapped file. */
#include "base/spill.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

static const size_t HEAP_MAX = (size_t)4 << 20, FILE_STEP = (size_t)16 << 20,
                    FILLED = (size_t)2 << 20, PASS = (size_t)32 << 20, PAGE = 4096;

static struct hd_spill *head_of(const void *array) {
    return (struct hd_spill *)(uintptr_t)array - 1;
}

/* A file without a name, or -1. */
static int open_file(void) {
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder) folder = "/var/tmp";
    int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0) return file;
    char *path = hd_format("%s/hotdesk-XXXXXX", folder);
    file = mkostemp(path, O_CLOEXEC);
    if (file >= 0) unlink(path);
    free(path);
    return file;
}

static struct hd_spill *on_heap(struct hd_spill *head, size_t bytes) {
    size_t capacity = head ? head->capacity : 512;
    while (capacity < bytes) capacity *= 2;
    bool first = !head;
    head = hd_realloc(head, sizeof *head + capacity);
    if (first) *head = (struct hd_spill){.file = -1};
    head->capacity = head->ready = capacity;
    return head;
}

/* Disk is reserved, so that writing to the mapping cannot fail later. */
static size_t reserve(int file, size_t from, size_t bytes) {
    size_t capacity = from;
    while (capacity < sizeof(struct hd_spill) + bytes)
        capacity += capacity / 4 > FILE_STEP ? capacity / 4 / PAGE * PAGE : FILE_STEP;
    return posix_fallocate(file, (off_t)from, (off_t)(capacity - from)) == 0 ? capacity
                                                                             : 0;
}

/* Copies an array from the heap, or NULL if there is no such file. */
static struct hd_spill *to_file(const struct hd_spill *old, size_t bytes) {
    int file = open_file();
    size_t all = file < 0 ? 0 : reserve(file, 0, bytes);
    void *at =
        all ? mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    if (at == MAP_FAILED) {
        if (file >= 0) close(file);
        return NULL;
    }
    struct hd_spill *head = at;
    *head = (struct hd_spill){.capacity = all - sizeof *head, .file = file};
    if (old) memcpy(head + 1, old + 1, old->capacity);
    return head;
}

/* Back to the heap: the disk is full. */
static struct hd_spill *from_file(struct hd_spill *old, size_t bytes) {
    struct hd_spill *head =
        on_heap(NULL, bytes > old->capacity ? bytes : old->capacity);
    memcpy(head + 1, old + 1, old->capacity);
    hd_spill_free(old + 1);
    return head;
}

static struct hd_spill *in_file(struct hd_spill *head, size_t bytes) {
    if (bytes > head->capacity) {
        int file = head->file;
        size_t before = head->capacity + sizeof *head;
        size_t all = reserve(file, before, bytes);
        void *at = all ? mremap(head, before, all, MREMAP_MAYMOVE) : MAP_FAILED;
        if (at == MAP_FAILED) return from_file(head, bytes);
        head = at;
        head->capacity = all - sizeof *head;
    }
    while (head->given + FILLED < bytes) {
        head->given += FILLED;
        hd_mapped_pass(head, sizeof *head + head->given);
    }
    head->ready =
        head->given + FILLED < head->capacity ? head->given + FILLED : head->capacity;
    return head;
}

void *hd_spill_more(void *array, size_t bytes) {
    struct hd_spill *head = array ? head_of(array) : NULL;
    if ((!head || head->file < 0) && bytes > HEAP_MAX) {
        struct hd_spill *moved = to_file(head, bytes);
        if (moved && head) free(head);
        if (moved) head = moved;
    }
    head = head && head->file >= 0 ? in_file(head, bytes) : on_heap(head, bytes);
    return head + 1;
}

void hd_spill_free(void *array) {
    if (!array) return;
    struct hd_spill *head = head_of(array);
    int file = head->file;
    if (file < 0) {
        free(head);
        return;
    }
    munmap(head, head->capacity + sizeof *head);
    close(file);
}

void hd_spill_pass(const void *array, size_t bytes) {
    if (array && head_of(array)->file >= 0) hd_mapped_pass(array, bytes);
}

void hd_mapped_pass(const void *array, size_t bytes) {
    uintptr_t begin = (uintptr_t)array, end = (begin + bytes) / PAGE * PAGE;
    if (bytes > PASS) begin += bytes - PASS;
    begin = (begin + PAGE - 1) / PAGE * PAGE;
    if (end > begin) madvise((void *)begin, end - begin, MADV_DONTNEED);
}
