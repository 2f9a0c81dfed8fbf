/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "bus-objects.h"
#include "cleanup.h"

char *range_path(const struct range *range) {
        char name[RANGE_NAME_MAX];

        return format_string(BUS_PATH_RANGE "/%s", range_name(range, name));
}

/* A handler gets the service and finds the range by its path: a pointer would not outlive the inventory. */
static const struct range *range_at(const struct service *service, const char *path) {
        const char *prefix = BUS_PATH_RANGE "/";

        if (strncmp(path, prefix, strlen(prefix)) != 0)
                return NULL;
        return inventory_find_range(manager_inventory(service->manager), path + strlen(prefix));
}

int range_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret, sd_bus_error *error) {
        (void)bus, (void)interface, (void)error;
        if (!range_at(userdata, path))
                return 0;
        *ret = userdata;
        return 1;
}

int range_enumerate(sd_bus *bus, const char *path, void *userdata, char ***ret, sd_bus_error *error) {
        const struct service *service = userdata;
        const struct inventory *inventory = manager_inventory(service->manager);
        char **paths = calloc(inventory->n_ranges + 1, sizeof(*paths));

        (void)bus, (void)path, (void)error;
        if (!paths)
                return -ENOMEM;
        for (size_t i = 0; i < inventory->n_ranges; i++) {
                paths[i] = range_path(&inventory->ranges[i]);
                if (!paths[i]) {
                        while (i-- > 0)
                                free(paths[i]);
                        free(paths);
                        return -ENOMEM;
                }
        }
        *ret = paths;
        return 1;
}

static int get_u64(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                   void *userdata, sd_bus_error *error) {
        const struct service *service = userdata;
        const struct inventory *inventory = manager_inventory(service->manager);
        const struct range *range = range_at(service, path);
        uint64_t value;

        (void)bus, (void)interface, (void)error;
        if (!range)
                return -ENOENT;
        if (strcmp(property, "Start") == 0)
                value = range->span.first_block * inventory->block_size_bytes;
        else if (strcmp(property, "Size") == 0)
                value = range->span.n_blocks * inventory->block_size_bytes;
        else if (strcmp(property, "MappingGranularity") == 0)
                value = range->mapping_granularity_bytes;
        else if (strcmp(property, "RemovalGranularity") == 0)
                value = range->removal_granularity_bytes;
        else
                value = inventory_count_bytes(inventory, &range->span, BLOCK_ONLINE);
        return sd_bus_message_append(reply, "t", value);
}

static int get_node(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                    void *userdata, sd_bus_error *error) {
        const struct range *range = range_at(userdata, path);

        (void)bus, (void)interface, (void)property, (void)error;
        return range ? sd_bus_message_append(reply, "i", range->node) : -ENOENT;
}

static const char *policy_reason(enum policy_choice choice) {
        switch (choice) {
        case POLICY_CHOICE_UDEV:
                return "a udev rule set MEMCTL_POLICY";
        case POLICY_CHOICE_MATCH:
                return "the first file in name order whose [Match] fits";
        default:
                return "no file fits: built-in default";
        }
}

static int get_word(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                    void *userdata, sd_bus_error *error) {
        const struct service *service = userdata;
        const struct range *range = range_at(service, path);
        const struct policy *policy;
        enum policy_choice choice;
        const char *word;

        (void)bus, (void)interface, (void)error;
        if (!range)
                return -ENOENT;
        policy = manager_policy(service->manager, range, &choice);
        if (strcmp(property, "Name") == 0)
                word = range->name;
        else if (strcmp(property, "Driver") == 0)
                word = range_driver_to_string(range->driver);
        else if (strcmp(property, "Device") == 0)
                word = range->device ? range->device : "";
        else if (strcmp(property, "GranularitySource") == 0)
                word = granularity_source_to_string(range->source);
        else if (strcmp(property, "Policy") == 0)
                word = policy->name;
        else if (strcmp(property, "PolicyFile") == 0)
                word = policy->file;
        else
                word = policy_reason(choice);
        return sd_bus_message_append(reply, "s", word);
}

static int method_get_units(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const struct service *service = userdata;
        const struct inventory *inventory = manager_inventory(service->manager);
        const struct range *range = range_at(service, sd_bus_message_get_path(message));
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        struct unit_run runs[3];
        unsigned n;
        int r;

        (void)error;
        if (!range)
                return -ENOENT;
        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "(ttt)");
        if (r < 0)
                return r;
        n = granularity_unit_runs(range->span, range->removal_granularity_bytes, inventory->block_size_bytes, runs);
        for (unsigned i = 0; i < n; i++) {
                r = sd_bus_message_append(reply, "(ttt)", runs[i].first_block * inventory->block_size_bytes,
                                          runs[i].blocks_per_unit * inventory->block_size_bytes, runs[i].n_units);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

/* A range's place and name never change (a new one has a new number); an estimate's granularity can. */
const sd_bus_vtable range_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Start", "t", get_u64, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Size", "t", get_u64, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Node", "i", get_node, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Name", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Driver", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Device", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("MappingGranularity", "t", get_u64, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("RemovalGranularity", "t", get_u64, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("GranularitySource", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Policy", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("PolicyFile", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("PolicyReason", "s", get_word, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("OnlineBytes", "t", get_u64, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_METHOD_WITH_ARGS("GetUnits", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ttt)", units), method_get_units,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};
