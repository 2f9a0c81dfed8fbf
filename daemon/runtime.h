/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What must outlive the process but not the boot lives in the runtime directory: $RUNTIME_DIRECTORY (set by
 * systemd, systemd.exec(5)) or /run/memctl. A file's first line is the boot id, which nobody but this module sees;
 * files are replaced by rename, so a reader sees the old or the new.
 */

/* $RUNTIME_DIRECTORY or /run/memctl. */
const char *runtime_directory(void);

/* The id of this boot, or "" where /proc does not tell. Static storage. */
const char *runtime_boot_id(void);

/* Reads a file of this boot; *ret is NUL-terminated and the caller's to free. Returns 0, -ENOENT, -errno. */
int runtime_read(const char *name, char **ret);
/* Replaces a file. Returns 0 or -errno; the file is then as before. */
int runtime_write(const char *name, const char *text);
