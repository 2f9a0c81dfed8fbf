/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Does what is undefined. With UBSan it has to end badly: otherwise no test that does so would. */

#include <limits.h>

int main(int argc, char **argv) {
        volatile int number = INT_MAX;

        (void)argv;
        number += argc;
        return 0;
}
