/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All of memctl but main(): parses the command line, runs the command, returns the exit status. */
int memctl_run(int argc, char **argv);
