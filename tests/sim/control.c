/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices.h"
#include "hotplug.h"
#include "quantity.h"

#define MAX_WORDS 8

struct words {
        char *word[MAX_WORDS];
        size_t n;
};

static int parse_span(const struct words *words, uint64_t *start, uint64_t *size) {
        int r = quantity_parse(words->word[1], start);

        return r < 0 ? r : quantity_parse(words->word[2], size);
}

/* hot-add START SIZE [NODE [NAME …]]: a third party's add_memory() */
static int hot_add(struct simulation *simulation, const struct words *words) {
        struct memory_add add = { .name = "System RAM" };
        char name[128] = "";
        uint64_t node = 0;
        int r = parse_span(words, &add.start, &add.size);

        if (r == 0 && words->n > 3)
                r = quantity_parse(words->word[3], &node);
        if (r < 0 || node > 1023)
                return -EINVAL;
        for (size_t i = 4; i < words->n; i++) {
                size_t n = strlen(name);

                (void)snprintf(name + n, sizeof(name) - n, "%s%s", n ? " " : "", words->word[i]);
        }
        if (name[0])
                add.name = name;
        add.node = (int)node;
        return memory_add(&simulation->machine, &add);
}

static int remove_span(struct simulation *simulation, const struct words *words) {
        uint64_t start, size;
        int r = parse_span(words, &start, &size);

        return r < 0 ? r : memory_remove(&simulation->machine, start, size);
}

static int offline_and_remove(struct simulation *simulation, const struct words *words) {
        uint64_t start, size;
        int r = parse_span(words, &start, &size);

        return r < 0 ? r : memory_offline_and_remove(&simulation->machine, start, size);
}

/* plug PNP0C80:NN */
static int plug(struct simulation *simulation, const struct words *words) {
        struct dimm *dimm = machine_find_dimm(&simulation->machine, words->word[1]);

        return dimm ? dimm_plug(&simulation->machine, dimm) : -ENODEV;
}

static int hold_ejects(struct simulation *simulation, const struct words *words) {
        (void)words;
        simulation->ejects_held = true;
        return 0;
}

static int run_ejects(struct simulation *simulation, const struct words *words) {
        (void)words;
        simulation->ejects_held = false;
        return 0;
}

static void set_unmovable(struct block *block, void *userdata) {
        block->unmovable = *(const bool *)userdata;
}

static int change_blocks(struct simulation *simulation, const struct words *words, block_change_fn change,
                         void *userdata) {
        struct machine *machine = &simulation->machine;
        uint64_t start, size;
        int r = parse_span(words, &start, &size);

        if (r < 0)
                return r;
        if (size == 0 || start % machine->block_size || size % machine->block_size)
                return -EINVAL;
        if (!blocks_any(&machine->blocks, start / machine->block_size, size / machine->block_size))
                return -ENODEV;
        blocks_change(&machine->blocks, start / machine->block_size, size / machine->block_size, change, userdata);
        return 0;
}

static int unmovable(struct simulation *simulation, const struct words *words) {
        bool value = true;

        return change_blocks(simulation, words, set_unmovable, &value);
}

static int movable(struct simulation *simulation, const struct words *words) {
        bool value = false;

        return change_blocks(simulation, words, set_unmovable, &value);
}

/* change START SIZE TYPE: as a write to `state`, but no event tells of it and nothing can go wrong */
static int change(struct simulation *simulation, const struct words *words) {
        struct machine *machine = &simulation->machine;
        int type = online_type_from_string(words->word[3]), r;
        struct uevents *uevents = machine->uevents;
        uint64_t start, size;

        r = type < 0 ? type : parse_span(words, &start, &size);
        if (r < 0)
                return r;
        machine->uevents = NULL;
        for (uint64_t offset = 0; offset < size && r >= 0; offset += machine->block_size) {
                uint64_t block = (start + offset) / machine->block_size;

                r = type == MMOP_OFFLINE ? block_offline(machine, block)
                                         : block_online(machine, block, (enum online_type)type);
        }
        machine->uevents = uevents;
        return r < 0 ? r : 0;
}

static int parse_nth(const char *word, uint64_t *ret) {
        int r = quantity_parse(word, ret);

        if (r == 0 && *ret == 0)
                r = -EINVAL;
        return r;
}

/* The errnos that a test may ask for. */
static int parse_errno(const char *word) {
        static const struct {
                const char *name;
                int value;
        } names[] = {
                { "EPERM", EPERM },   { "EINTR", EINTR },         { "EIO", EIO },
                { "EAGAIN", EAGAIN }, { "ENOMEM", ENOMEM },       { "EACCES", EACCES },
                { "EBUSY", EBUSY },   { "ENODEV", ENODEV },       { "EINVAL", EINVAL },
                { "ENOSPC", ENOSPC }, { "EHWPOISON", EHWPOISON },
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                if (strcmp(names[i].name, word) == 0)
                        return names[i].value;
        return -EINVAL;
}

/* fail NTH ERRNO */
static int fail_write(struct simulation *simulation, const struct words *words) {
        struct fault fault = { .kind = FAULT_ERRNO, .error = parse_errno(words->word[2]) };
        uint64_t nth;
        int r = parse_nth(words->word[1], &nth);

        if (r < 0 || fault.error < 0)
                return -EINVAL;
        fault.writes_before = nth - 1;
        simulation_add_fault(simulation, &fault);
        return 0;
}

/* hang NTH [forever] */
static int hang_write(struct simulation *simulation, const struct words *words) {
        struct fault fault = { .kind = FAULT_HANG };
        uint64_t nth;
        int r = parse_nth(words->word[1], &nth);

        if (r == 0 && words->n > 2) {
                if (strcmp(words->word[2], "forever") != 0)
                        r = -EINVAL;
                fault.kind = FAULT_HANG_FOREVER;
        }
        if (r < 0)
                return r;
        fault.writes_before = nth - 1;
        simulation_add_fault(simulation, &fault);
        return 0;
}

/* EAGAIN: none hangs yet, as who is to write may still be on its way. */
static int release_write(struct simulation *simulation, const struct words *words) {
        (void)words;
        if (!simulation->write_hangs)
                return -EAGAIN;
        simulation->release_asked = true;
        return 0;
}

/* lose NTH */
static int lose_event(struct simulation *simulation, const struct words *words) {
        uint64_t nth;
        int r = parse_nth(words->word[1], &nth);

        if (r == 0)
                uevents_lose(simulation->machine.uevents, nth);
        return r;
}

static int mend(struct simulation *simulation, const struct words *words) {
        (void)words;
        simulation->n_faults = 0;
        uevents_lose_none(simulation->machine.uevents);
        return 0;
}

static const struct command {
        const char *name;
        size_t n_min, n_max; /* words, the name included */
        bool takes_lock;
        int (*run)(struct simulation *simulation, const struct words *words);
} commands[] = {
        { "hot-add", 3, MAX_WORDS, true, hot_add },
        { "remove", 3, 3, true, remove_span },
        { "offline-and-remove", 3, 3, true, offline_and_remove },
        { "plug", 2, 2, true, plug },
        { "hold-ejects", 1, 1, false, hold_ejects },
        { "run-ejects", 1, 1, false, run_ejects },
        { "unmovable", 3, 3, false, unmovable },
        { "movable", 3, 3, false, movable },
        { "change", 4, 4, false, change },
        { "fail", 3, 3, false, fail_write },
        { "hang", 2, 3, false, hang_write },
        { "release", 1, 1, false, release_write },
        { "lose", 2, 2, false, lose_event },
        { "mend", 1, 1, false, mend },
};

static const struct command *find_command(const char *name, size_t n) {
        for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
                if (strlen(commands[i].name) == n && strncmp(commands[i].name, name, n) == 0)
                        return &commands[i];
        return NULL;
}

bool control_takes_lock(const char *text) {
        while (*text) {
                const struct command *command = find_command(text, strcspn(text, " \n"));

                if (command && command->takes_lock)
                        return true;
                text += strcspn(text, "\n");
                text += *text == '\n';
        }
        return false;
}

static int run_line(struct simulation *simulation, char *line) {
        struct words words = { .n = 0 };
        const struct command *command;
        char *rest, *word;

        for (word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
                if (words.n == MAX_WORDS)
                        return -E2BIG;
                words.word[words.n++] = word;
        }
        if (words.n == 0 || words.word[0][0] == '#')
                return 0;
        command = find_command(words.word[0], strlen(words.word[0]));
        if (!command || words.n < command->n_min || words.n > command->n_max)
                return -EINVAL;
        return command->run(simulation, &words);
}

int control_store(struct simulation *simulation, uint64_t object, const char *text) {
        char *lines = strdup(text), *rest, *line;
        int r = 0;

        (void)object;
        if (!lines)
                return -ENOMEM;
        for (line = strtok_r(lines, "\n", &rest); line && r == 0; line = strtok_r(NULL, "\n", &rest)) {
                char said[256];

                (void)snprintf(said, sizeof(said), "%s", line);
                r = run_line(simulation, line);
                if (r < 0)
                        machine_log(&simulation->machine, "control: %s: %s", said, strerror(-r));
        }
        free(lines);
        return r;
}
