/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "change.h"

#include <stdlib.h>

void change_clear(struct change *change) {
        for (char **selector = change->selectors; selector && *selector; selector++)
                free(*selector);
        free(change->selectors);
        free(change->request_id);
        *change = (struct change){ 0 };
}
