/* Which GPUs, in which nodes. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "command/resolve.h"
#include "hardware/node.h"

const struct hd_setting *hd_fleet_in_force(struct hd_asked *asked,
                                           struct hd_problem *problem) {
    const char *names[64];
    int count = 0;
    const struct hd_setting *one = hd_asked_said(asked, "fleet", NULL, NULL);
    const struct hd_setting *named = NULL;
    for (int i = 0; i < asked->count; i++) {
        const struct hd_setting *s = asked->setting[i];
        if (strcmp(s->option->key, "fleet") != 0 || !s->name) continue;
        if (one && strcmp(s->name, one->value) == 0) return s;
        if (count < 64) names[count++] = s->name;
        named = s;
    }
    if (!one && count <= 1) return named;
    if (!one) {
        if (problem)
            hd_bad_input(problem,
                         "%s: several fleets and none chosen; expected --fleet %s%s%s",
                         named->place, names[0], count == 2 ? " or " : ", ", names[1]);
        return NULL;
    }
    if (strchr(one->value, ':')) return one;
    const char *near = hd_nearest(one->value, names, count);
    if (problem && near)
        hd_setting_fail(one, problem,
                        "no fleet '%s' in the scenario; the nearest is %s", one->value,
                        near);
    else if (problem)
        hd_setting_fail(one, problem,
                        "'%s' is no fleet; expected KIND:COUNT such as H100:16, or a "
                        "fleet named in the scenario",
                        one->value);
    return NULL;
}

/* ---- nodes --------------------------------------------------------------- */

static bool set_node(const struct hd_setting *s, struct hd_node_config *node,
                     struct hd_problem *problem) {
    struct hd_err err = {0};
    long whole = 0;
    bool fine = true;
    if (strcmp(s->field, "gpus") == 0) {
        fine = hd_parse_integer(s->value, 1, 1024, &whole, &err);
        node->gpus = (int)whole;
    } else if (strcmp(s->field, "pcie_shared_by") == 0) {
        fine = hd_parse_integer(s->value, 1, 1024, &whole, &err);
        node->pcie_shared_by = (int)whole;
    } else if (strcmp(s->field, "pcie_both") == 0) {
        fine = hd_parse_fraction(s->value, &node->pcie_both, &err);
        if (fine && !(node->pcie_both >= 0.01))
            fine =
                hd_fail(&err, "'%s' leaves nothing; expected 1 %% to 100 %%", s->value);
    } else if (strcmp(s->field, "pcie_switch") == 0) {
        fine = hd_parse_integer(s->value, 1, 1024, &whole, &err);
        node->pcie_switch = (int)whole;
    } else if (strcmp(s->field, "dram") == 0) {
        fine = hd_parse_size(s->value, &node->dram_bytes, &err);
    } else {
        double *rate = strcmp(s->field, "disk") == 0        ? &node->disk_bytes_per_s
                       : strcmp(s->field, "pcie") == 0      ? &node->pcie_bytes_per_s
                       : strcmp(s->field, "nvlink") == 0    ? &node->nvlink_bytes_per_s
                       : strcmp(s->field, "nic") == 0       ? &node->nic_bytes_per_s
                       : strcmp(s->field, "dram_rate") == 0 ? &node->host_bytes_per_s
                                                            : &node->switch_bytes_per_s;
        fine = hd_parse_bandwidth(s->value, rate, &err);
        /* NVLink and disk may be absent; a transfer over any link has to end before the
         * last tick there is. */
        bool absent = *rate == 0 && (rate == &node->nvlink_bytes_per_s ||
                                     rate == &node->disk_bytes_per_s);
        if (fine && *rate < 10e6 && !absent)
            fine =
                hd_fail(&err, "'%s' is too slow; expected at least 10MB/s", s->value);
    }
    return fine || hd_setting_fail(s, problem, "%s", err.text);
}

static bool kind_is(const struct hd_resolved *r, const char *name,
                    const struct hd_gpu_spec *gpu) {
    struct hd_err ignored = {0};
    return hd_catalog_gpu(r->catalog, name, &ignored) == gpu;
}

/* The setting that gave the node of that kind the field, or NULL. */
static const struct hd_setting *said_of(struct hd_asked *asked,
                                        const struct hd_resolved *r,
                                        const struct hd_fleet_part *part,
                                        const char *field) {
    const struct hd_setting *found = NULL;
    for (int named = 0; named < 2; named++)
        for (int i = 0; i < asked->count; i++) {
            const struct hd_setting *s = asked->setting[i];
            if (strcmp(s->option->key, "node") == 0 && strcmp(s->field, field) == 0 &&
                (s->name != NULL) == named &&
                (!named || kind_is(r, s->name, part->gpu)))
                found = s;
        }
    return found;
}

/* No link stands where none can, and weights have a way. */
static bool topology_holds(struct hd_asked *asked, const struct hd_resolved *r,
                           const struct hd_fleet_part *part,
                           struct hd_problem *problem) {
    static const char *const on_paths[] = {"pcie_switch", "switch_uplink", "dram_rate"};
    const struct hd_setting *links =
        hd_asked_find(asked, "switching.links", NULL, NULL);
    const struct hd_setting *remote =
        hd_asked_find(asked, "switching.remote", NULL, NULL);
    const struct hd_node_config *n = &part->node;
    bool alone = strcmp(links->value, "alone") == 0;
    for (int f = 0; alone && f < 3; f++) {
        const struct hd_setting *s = said_of(asked, r, part, on_paths[f]);
        if (s)
            return hd_setting_fail(s, problem,
                                   "transfers hold one link each (links alone), so it "
                                   "would do nothing; expected --links fair beside it");
    }
    const struct hd_setting *disk = said_of(asked, r, part, "disk");
    bool has_remote = strcmp(remote->value, "none") != 0;
    if (n->disk_bytes_per_s == 0 && (alone || !has_remote))
        return hd_setting_fail(disk, problem,
                               "weights have no way to a node without a disk; expected "
                               "--links fair and --remote RATE beside it");
    const struct hd_setting *behind = said_of(asked, r, part, "pcie_switch");
    const struct hd_setting *uplink = said_of(asked, r, part, "switch_uplink");
    if (!behind != !uplink)
        return hd_setting_fail(
            behind ? behind : uplink, problem,
            "a switch has both GPUs and an uplink; expected %s beside "
            "it",
            behind ? "switch_uplink=RATE" : "pcie_switch=GPUS");
    if (behind && n->gpus % n->pcie_switch != 0)
        return hd_setting_fail(behind, problem,
                               "switches of %d GPUs each do not make up a node of %d; "
                               "expected a divisor of %d",
                               n->pcie_switch, n->gpus, n->gpus);
    if (behind && n->pcie_switch % n->pcie_shared_by != 0)
        return hd_setting_fail(behind, problem,
                               "%d GPUs share a PCIe link and %d a switch above it; "
                               "expected a multiple of pcie_shared_by",
                               n->pcie_shared_by, n->pcie_switch);
    return true;
}

/* The defaults of the kind, then what is said of all kinds, then of this one. */
static bool lay_out(struct hd_asked *asked, const struct hd_resolved *r,
                    struct hd_fleet_part *part, struct hd_problem *problem) {
    struct hd_node_spec spec;
    hd_node_defaults(part->gpu, &spec, NULL);
    part->node = (struct hd_node_config){
        .gpus = spec.gpus,
        .dram_bytes = spec.dram_bytes,
        .disk_bytes_per_s = spec.disk_bytes_per_s,
        .pcie_bytes_per_s = spec.pcie_bytes_per_s,
        .pcie_shared_by = spec.pcie_shared_by,
        .pcie_both = spec.pcie_both,
        .nvlink_bytes_per_s = spec.nvlink_bytes_per_s,
        .nic_bytes_per_s = spec.nic_bytes_per_s,
    };
    for (int named = 0; named < 2; named++) {
        for (int i = 0; i < asked->count; i++) {
            const struct hd_setting *s = asked->setting[i];
            if (strcmp(s->option->key, "node") != 0 || (s->name != NULL) != named)
                continue;
            if (named && !kind_is(r, s->name, part->gpu)) continue;
            if (!set_node(s, &part->node, problem)) return false;
        }
    }
    if (!topology_holds(asked, r, part, problem)) return false;
    double utilisation;
    if (!hd_asked_fraction(asked, "serving.gpu_memory", &utilisation, problem))
        return false;
    struct hd_gpu_reserve reserve = hd_gpu_reserve_default();
    reserve.utilisation = utilisation;
    part->usable_bytes = (double)hd_gpu_usable(part->gpu, &reserve);
    part->process_bytes = reserve.bytes;
    return true;
}

/* Every node setting must be one that exists, of a kind that exists. */
static bool check_nodes(struct hd_asked *asked, const struct hd_resolved *r,
                        struct hd_problem *problem) {
    for (int i = 0; i < asked->count; i++) {
        const struct hd_setting *s = asked->setting[i];
        if (strcmp(s->option->key, "node") != 0) continue;
        struct hd_err err = {0};
        struct hd_node_config trial;
        if (hd_word_of(s, s->field, hd_node_fields, HD_NODE_FIELDS, problem) < 0)
            return false;
        if (s->name && !hd_catalog_gpu(r->catalog, s->name, &err))
            return hd_setting_fail(s, problem, "%s", err.text);
        if (!set_node(s, &trial, problem)) return false;
    }
    return true;
}

/* An option for a kind that the fleet lacks would do nothing; a scenario may describe
 * more kinds than one fleet has. */
static bool kinds_are_there(struct hd_asked *asked, const struct hd_resolved *r,
                            struct hd_problem *problem) {
    for (int i = 0; i < asked->count; i++) {
        const struct hd_setting *s = asked->setting[i];
        if (strcmp(s->option->key, "node") != 0 || !s->name ||
            s->origin != HD_FROM_OPTION)
            continue;
        bool there = false;
        for (int p = 0; p < r->question.parts; p++)
            there |= kind_is(r, s->name, r->question.part[p].gpu);
        if (!there)
            return hd_setting_fail(s, problem, "there is no %s in this fleet", s->name);
    }
    return true;
}

/* ---- fleets -------------------------------------------------------------- */

struct listing {
    struct hd_resolved *resolved;
    const struct hd_setting *setting;
};

/* H100:8 */
static bool take_part(void *context, const char *piece, struct hd_problem *problem) {
    struct listing *l = context;
    struct hd_question *q = &l->resolved->question;
    const char *colon = strrchr(piece, ':');
    if (!colon || colon == piece)
        return hd_setting_fail(l->setting, problem,
                               "'%s' lacks a number of GPUs; expected KIND:COUNT such "
                               "as H100:16",
                               piece);
    struct hd_err err = {0};
    long gpus = 0;
    char *kind = hd_format("%.*s", (int)(colon - piece), piece);
    const struct hd_gpu_spec *gpu = hd_catalog_gpu(l->resolved->catalog, kind, &err);
    free(kind);
    if (!gpu || !hd_parse_integer(colon + 1, 1, 1000000, &gpus, &err))
        return hd_setting_fail(l->setting, problem, "%s", err.text);
    for (int i = 0; i < q->parts; i++)
        if (q->part[i].gpu == gpu)
            return hd_setting_fail(l->setting, problem, "%s stands there twice",
                                   gpu->name);
    if (q->parts == HD_FLEET_PARTS_MAX)
        return hd_setting_fail(l->setting, problem, "more than %d kinds of GPU",
                               HD_FLEET_PARTS_MAX);
    q->part[q->parts++] = (struct hd_fleet_part){.gpu = gpu, .gpus = (int)gpus};
    return true;
}

static bool buffers_fit(struct hd_asked *asked, const struct hd_question *q,
                        const struct hd_fleet_part *part, struct hd_problem *problem) {
    double all = (double)q->switching.staging_bytes * part->node.gpus;
    if (all <= part->node.dram_bytes) return true;
    return hd_setting_fail(
        hd_asked_find(asked, "switching.staging_memory", NULL, NULL), problem,
        "buffers of %d GPUs take %.1f GB, and a node of %s has %.1f GB",
        part->node.gpus, all / 1e9, part->gpu->name, part->node.dram_bytes / 1e9);
}

bool hd_resolve_fleet(struct hd_asked *asked, struct hd_resolved *r,
                      struct hd_problem *problem) {
    struct hd_question *q = &r->question;
    if (!check_nodes(asked, r, problem)) return false;
    if (asked->command == HD_FOR_COMPARE) {
        const struct hd_setting *gpu = hd_asked_said(asked, "gpu", NULL, NULL);
        long most;
        if (!gpu)
            return hd_usage(problem, "--gpu: which kind of GPU to count is not said; "
                                     "expected --gpu H100 or another of `hotdesk "
                                     "catalog gpus`");
        struct hd_err err = {0};
        q->parts = 1;
        q->part[0].gpu = hd_catalog_gpu(r->catalog, gpu->value, &err);
        if (!q->part[0].gpu) return hd_setting_fail(gpu, problem, "%s", err.text);
        if (!hd_asked_integer(asked, "max_gpus", 1, 1000000, &most, problem))
            return false;
        q->gpus_max = (int)most;
        q->fleet_text = hd_strdup(q->part[0].gpu->name);
    } else {
        const struct hd_setting *fleet = hd_fleet_in_force(asked, problem);
        if (!fleet)
            return hd_usage(problem,
                            "--fleet: which GPUs to use is not said; expected "
                            "--fleet H100:16 or a fleet named in the scenario");
        struct listing l = {r, fleet};
        if (!hd_each_piece(fleet, fleet->value, '+', take_part, &l, problem))
            return false;
        q->fleet_text = hd_strdup(fleet->value);
    }
    for (int i = 0; i < q->parts; i++)
        if (!lay_out(asked, r, &q->part[i], problem) ||
            !buffers_fit(asked, q, &q->part[i], problem))
            return false;
    bool disks = true;
    for (int i = 0; i < q->parts; i++) disks &= q->part[i].node.disk_bytes_per_s > 0;
    const struct hd_setting *remote =
        hd_asked_find(asked, "switching.remote", NULL, NULL);
    if (disks && strcmp(remote->value, "none") != 0)
        return hd_setting_fail(remote, problem,
                               "every node has a disk with all weights, so it would do "
                               "nothing; expected --node disk=0GB/s beside it");
    return kinds_are_there(asked, r, problem);
}
