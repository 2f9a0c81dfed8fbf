/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A kernel made of plain files, for a true worker process. A file faults/BLOCK.WORD under its root says what a write of
 * WORD to that block's state does instead of working:
 *   NUMBER      fails with that errno
 *   hang        waits for ever, until a signal
 *   hang-hard   waits for ever and ignores SIGTERM
 *   die         the process dies before the write took effect
 *   die-after   the process dies when it has
 *   wrong-zone  the block comes online in another zone
 *   slow        takes a tenth of a second
 * "meanwhile N " before it: somebody else has just taken block N offline; "vanish N ": it is gone; "fifo N ": whoever
 * reads its state waits for ever. "once " before all: only the first time. And faults/BLOCK.read says what happens to
 * who reads the block's state: die.
 */

/* Runs the worker on it, as memctld's worker process does. Returns the exit status. */
int file_kernel_run_worker(const char *root);
