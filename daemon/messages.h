/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Identities of log messages: MESSAGE_ID= in the journal; units/memctl.catalog explains them (journalctl -x). */

#define MESSAGE_JOB_ACCEPTED        "MESSAGE_ID=2270a480bf49499ea1aab7dbffd66aa1"
#define MESSAGE_JOB_FINISHED        "MESSAGE_ID=c786a8b9addd4b549bb5229f61b06442"
#define MESSAGE_ROLLBACK_INCOMPLETE "MESSAGE_ID=36b8c9730b5447c996072b0bbeb03761"
#define MESSAGE_STUCK               "MESSAGE_ID=f430045a638340b9a3a682dcaca6b528"
#define MESSAGE_EVENTS_LOST         "MESSAGE_ID=e4fc4b8bab604f47a7c63fb0d8c5fb17"
#define MESSAGE_POLICY_BROKEN       "MESSAGE_ID=eab811214ebc48c592003fdaa73ad186"
#define MESSAGE_POLICY_REFUSED      "MESSAGE_ID=aed5e231e7c4425ea932a79b2fe4e216"
