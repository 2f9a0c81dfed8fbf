/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Two commands against each other: pairs N_PAIRS A… -- B…
 *
 * They run in turn, so that whatever else the machine does meets both, and ratios are taken pair by pair. What they
 * print goes to /dev/null. Prints, each on a line as NAME=VALUE, medians over the pairs: wall_a, cpu_a, wall_b, cpu_b
 * (seconds), wall_ratio and cpu_ratio (A by B); and peak_a, the most memory that A ever had (KiB).
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAIRS_MAX 100

struct run {
        double wall, cpu;
        long peak_kib;
};

static void fail(const char *what) {
        perror(what);
        exit(EXIT_FAILURE);
}

static double wall_seconds(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(struct timeval time) {
        return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* A child has its parent's peak until it has memory of its own: this program is small. */
static struct run run_command(char **command) {
        struct rusage usage;
        int status;
        double begin = wall_seconds();

        pid_t pid = fork();
        if (pid < 0)
                fail("fork");
        if (pid == 0) {
                int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
                if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
                        execvp(command[0], command);
                perror(command[0]);
                _exit(127);
        }
        if (wait4(pid, &status, 0, &usage) < 0)
                fail("wait4");
        if (status != 0) {
                fprintf(stderr, "pairs: %s did not end well\n", command[0]);
                exit(EXIT_FAILURE);
        }
        return (struct run){
                wall_seconds() - begin,
                seconds(usage.ru_utime) + seconds(usage.ru_stime),
                usage.ru_maxrss,
        };
}

static int compare(const void *a, const void *b) {
        const double *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static void print_median(const char *name, double *values, size_t n) {
        qsort(values, n, sizeof(*values), compare);
        printf("%s=%.4f\n", name, (values[(n - 1) / 2] + values[n / 2]) / 2);
}

int main(int argc, char **argv) {
        double wall_a[PAIRS_MAX], cpu_a[PAIRS_MAX], wall_b[PAIRS_MAX], cpu_b[PAIRS_MAX];
        double wall_ratio[PAIRS_MAX], cpu_ratio[PAIRS_MAX];
        long peak_kib = 0;
        int between = 2;

        while (between < argc && strcmp(argv[between], "--") != 0)
                between++;
        size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
        if (n == 0 || n > PAIRS_MAX || between == 2 || between + 1 >= argc) {
                fprintf(stderr, "Usage: pairs N_PAIRS A… -- B…   (up to %d pairs)\n", PAIRS_MAX);
                return 2;
        }
        argv[between] = NULL;

        /* What is read first of all is read for both. */
        run_command(argv + between + 1);
        for (size_t i = 0; i < n; i++) {
                struct run a = run_command(argv + 2), b = run_command(argv + between + 1);
                wall_a[i] = a.wall;
                cpu_a[i] = a.cpu;
                wall_b[i] = b.wall;
                cpu_b[i] = b.cpu;
                wall_ratio[i] = a.wall / b.wall;
                cpu_ratio[i] = a.cpu / b.cpu;
                peak_kib = a.peak_kib > peak_kib ? a.peak_kib : peak_kib;
        }
        print_median("wall_a", wall_a, n);
        print_median("cpu_a", cpu_a, n);
        print_median("wall_b", wall_b, n);
        print_median("cpu_b", cpu_b, n);
        print_median("wall_ratio", wall_ratio, n);
        print_median("cpu_ratio", cpu_ratio, n);
        printf("peak_a=%ld\n", peak_kib);
        return EXIT_SUCCESS;
}
