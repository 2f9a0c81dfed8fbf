/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memctl.h"

int main(int argc, char **argv) {
        return memctl_run(argc, argv);
}
