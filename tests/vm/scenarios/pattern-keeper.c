/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pattern-keeper MIB FILE: keeps that much memory filled with patterns that no two words of two passes share. A pass
 * looks at every word and writes the next pattern; a quarter of the memory it gives back before, so that its pages come
 * from wherever there is memory just now. FILE has the number of passes. It ends with the first wrong word, or with 0
 * on SIGTERM.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
        SLICE_BYTES = 1 << 20,
        SLICE_WORDS = SLICE_BYTES / sizeof(uint64_t),
};

static volatile sig_atomic_t ended;

static void end(int signal_number) {
        (void)signal_number;
        ended = 1;
}

/* Of one word in one pass: an odd factor keeps different words different. */
static uint64_t pattern(uint64_t pass, uint64_t word) {
        return (pass << 40 | word) * UINT64_C(0x9e3779b97f4a7c15);
}

static void fill(uint64_t *slice, uint64_t pass, uint64_t first) {
        for (uint64_t i = 0; i < SLICE_WORDS; i++)
                slice[i] = pattern(pass, first + i);
}

static int check(const uint64_t *slice, uint64_t pass, uint64_t first) {
        for (uint64_t i = 0; i < SLICE_WORDS; i++) {
                uint64_t wanted = pattern(pass, first + i);

                if (slice[i] != wanted) {
                        printf("pass %ju: word %ju is %#jx instead of %#jx\n", (uintmax_t)pass, (uintmax_t)(first + i),
                               (uintmax_t)slice[i], (uintmax_t)wanted);
                        return -1;
                }
        }
        return 0;
}

static int tell(const char *path, uint64_t pass) {
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), n;

        if (fd < 0)
                return -1;
        n = dprintf(fd, "%ju\n", (uintmax_t)pass);
        return close(fd) < 0 || n < 0 ? -1 : 0;
}

int main(int argc, char *argv[]) {
        struct sigaction action = { .sa_handler = end };
        uint64_t n_slices;
        char *memory;

        n_slices = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;
        if (n_slices == 0) {
                (void)fputs("Usage: pattern-keeper MIB FILE\n", stderr);
                return 2;
        }
        (void)sigaction(SIGTERM, &action, NULL);
        memory = mmap(NULL, n_slices * SLICE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
                perror("mmap");
                return 1;
        }
        /* A huge page that half was given back of is kept whole for a while, which would take more than was asked for.
         */
        (void)madvise(memory, n_slices * SLICE_BYTES, MADV_NOHUGEPAGE);
        for (uint64_t pass = 0; !ended; pass++) {
                for (uint64_t i = 0; i < n_slices; i++) {
                        uint64_t *slice = (uint64_t *)(void *)(memory + i * SLICE_BYTES);

                        if (pass > 0 && check(slice, pass - 1, i * SLICE_WORDS) < 0)
                                return 1;
                        if (i % 4 == pass % 4)
                                (void)madvise(slice, SLICE_BYTES, MADV_DONTNEED);
                        fill(slice, pass, i * SLICE_WORDS);
                }
                if (tell(argv[2], pass + 1) < 0) {
                        perror(argv[2]);
                        return 1;
                }
        }
        return 0;
}
