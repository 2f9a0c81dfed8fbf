#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints what the series' KUnit tests said while this kernel booted.
dmesg | sed 's/^\[[^]]*\] //' | sed -n '/# Subtest: memory_leaf$/,/^\(not \)\{0,1\}ok [0-9]* memory_leaf$/p'
