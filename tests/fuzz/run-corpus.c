/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands in for libFuzzer where a target is only to run the files it is given: run-corpus DIRECTORY. */

#include <dirent.h>
#include <errno.h>

#include "fuzz.h"

static void run_file(const char *path) {
        FILE *file = fopen(path, "re");
        uint8_t *data = malloc(1 << 20);

        must(file && data);
        size_t size = fread(data, 1, 1 << 20, file);
        fclose(file);
        fprintf(stderr, "%s\n", path);
        LLVMFuzzerTestOneInput(data, size);
        free(data);
}

int main(int argc, char **argv) {
        char path[4096];
        size_t n = 0;

        DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;
        if (!directory) {
                fprintf(stderr, "%s: %s\n", argc == 2 ? argv[1] : "run-corpus DIRECTORY", strerror(errno));
                return 2;
        }
        for (const struct dirent *entry; (entry = readdir(directory));) {
                if (entry->d_name[0] == '.')
                        continue;
                snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
                run_file(path);
                n++;
        }
        closedir(directory);
        return n > 0 ? 0 : 1;
}
