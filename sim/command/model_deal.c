/* Giving each model name of the trace its LLM, its degree of parallelism and its
 * SLO class. */
#include <fnmatch.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/model_rules.h"
#include "output/quantity.h"
#include "timing/calibration.h"

/* Letters of a pattern that stand for themselves. */
static size_t own_letters(const char *pattern) {
    size_t letters = 0;
    for (; *pattern; pattern++) letters += *pattern != '*' && *pattern != '?';
    return letters;
}

/* The rule of a name: as it stands, else the closest pattern; -1: none. */
static int rule_of(const struct hd_model_rules *rules, const char *name) {
    int best = -1;
    for (int i = 0; i < rules->rules; i++)
        if (rules->rule[i].exact && strcmp(rules->rule[i].pattern, name) == 0) return i;
    for (int i = 0; i < rules->rules; i++) {
        const struct hd_model_rule *rule = &rules->rule[i];
        if (rule->exact || fnmatch(rule->pattern, name, 0) != 0) continue;
        if (best < 0 ||
            own_letters(rule->pattern) > own_letters(rules->rule[best].pattern))
            best = i;
    }
    return best;
}

/* How many of n names each card gets: its share of n, rounded down, and one more
 * for the largest remainders, earlier cards first. */
static void share_out(const struct hd_model_rule *rule, int n, int *count) {
    long sum = 0;
    int left = n;
    long *remainder = hd_alloc(sizeof *remainder * (size_t)rule->cards);
    for (int i = 0; i < rule->cards; i++) sum += rule->card[i].weight;
    for (int i = 0; i < rule->cards; i++) {
        count[i] = (int)(rule->card[i].weight * n / sum);
        remainder[i] = rule->card[i].weight * n % sum;
        left -= count[i];
    }
    for (; left > 0; left--) {
        int most = 0;
        for (int i = 1; i < rule->cards; i++)
            if (remainder[i] > remainder[most]) most = i;
        count[most]++;
        remainder[most] = -1;
    }
    free(remainder);
}

/* The card index of each of n names. */
static void deal(const struct hd_model_rule *rule, uint64_t seed, int n, int *card) {
    if (rule->in_order) {
        long sum = 0;
        for (int i = 0; i < rule->cards; i++) sum += rule->card[i].weight;
        for (int k = 0; k < n; k++) {
            long place = k % sum;
            int i = 0;
            while (place >= rule->card[i].weight) place -= rule->card[i++].weight;
            card[k] = i;
        }
        return;
    }
    int *count = hd_alloc(sizeof *count * (size_t)rule->cards);
    share_out(rule, n, count);
    for (int i = 0, k = 0; i < rule->cards; i++)
        while (count[i]-- > 0) card[k++] = i;
    free(count);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    if (!rng) abort();
    gsl_rng_set(rng, (unsigned long)seed);
    gsl_ran_shuffle(rng, card, (size_t)n, sizeof *card);
    gsl_rng_free(rng);
}

/* The part with the most usable memory per GPU. */
static const struct hd_fleet_part *roomiest(const struct hd_question *q) {
    const struct hd_fleet_part *best = &q->part[0];
    for (int i = 1; i < q->parts; i++)
        if (q->part[i].usable_bytes > best->usable_bytes) best = &q->part[i];
    return best;
}

int hd_default_tp(const struct hd_question *q, const struct hd_model_spec *spec) {
    const struct hd_fleet_part *part = roomiest(q);
    for (int tp = 1; tp <= part->node.gpus && spec->heads % tp == 0; tp *= 2)
        if ((double)spec->weights_bytes / tp <= 0.9 * part->usable_bytes) return tp;
    return 0;
}

static bool unmapped(const struct hd_resolved *r, const bool *known,
                     struct hd_problem *problem) {
    char names[512] = "";
    int count = 0;
    for (int i = 0; i < r->trace->models; i++) {
        if (known[i]) continue;
        size_t used = strlen(names);
        if (count++ < 8)
            snprintf(names + used, sizeof names - used, "%s%.40s", used ? ", " : "",
                     r->trace->model[i]);
    }
    hd_bad_input(
        problem,
        "%s: no LLM is known for %d of %d model names: %s%s; expected --models",
        r->trace->path, count, r->trace->models, names, count > 8 ? ", ..." : "");
    return hd_hint(problem, "--models '%.60s=llama-2-7b' (`hotdesk catalog models`)",
                   count == r->trace->models && count > 1 ? "*" : names);
}

static bool place_model(struct hd_resolved *r, int i,
                        const struct hd_model_rules *rules,
                        const struct hd_model_rule *rule, struct hd_model_card card,
                        struct hd_problem *problem) {
    struct hd_question *q = &r->question;
    const char *place = rule ? rule->place : r->trace->path;
    struct hd_market_model *m = &q->model[i];
    card.spec = card.spec->as[card.said[0] ? card.spec->weights : rules->weights]
                             [card.said[1] ? card.spec->kv : rules->kv];
    int tp = card.tp ? card.tp : hd_default_tp(q, card.spec);
    const struct hd_fleet_part *part = roomiest(q);
    if (tp == 0 || (double)card.spec->weights_bytes / tp > part->usable_bytes)
        return hd_bad_input(
            problem,
            "%s: %s (%s) has %s of weights: more than %d %s hold (%s each usable); "
            "expected more GPUs per replica or a larger GPU",
            place, card.spec->name, r->trace->model[i],
            hd_say_bytes((double)card.spec->weights_bytes).text,
            tp ? tp : part->node.gpus, part->gpu->name,
            hd_say_bytes(part->usable_bytes).text);
    bool one_for_all = q->classes == 1 && strcmp(q->slo[0].name, "default") == 0;
    int slo = rule && rule->slo >= 0 ? rule->slo : one_for_all ? 0 : -1;
    if (slo < 0)
        return hd_bad_input(problem,
                            "%s: %s has no SLO class; expected class = \"%s\" or "
                            "another of slo.classes",
                            place, r->trace->model[i], q->slo[0].name);
    *m = (struct hd_market_model){.name = hd_strdup(r->trace->model[i]),
                                  .spec = card.spec,
                                  .tp = tp,
                                  .slo = slo,
                                  .min_replicas = rule ? rule->min_replicas : 0};
    return true;
}

/* Every kind of GPU must have kernels of each form that is not 16-bit. */
static bool check_forms(const struct hd_resolved *r, const struct hd_model_rules *rules,
                        const int *rule, struct hd_problem *problem) {
    const struct hd_question *q = &r->question;
    for (int p = 0; p < q->parts; p++) {
        struct hd_calibration *c = NULL;
        struct hd_err err = {0};
        bool fine = true;
        for (int i = 0; i < q->models && fine; i++) {
            const struct hd_model_spec *m = q->model[i].spec;
            if (m == m->as[HD_NUMBER_16BIT][HD_NUMBER_16BIT]) continue;
            if (!c) c = hd_calibration_load(q->part[p].gpu, q->engine, &err);
            fine = c && hd_calibration_serves(c, m, q->engine, &err);
            if (!fine)
                hd_bad_input(problem, "%s: %s",
                             rule[i] < 0 ? q->model[i].name
                                         : rules->rule[rule[i]].place,
                             err.text);
        }
        hd_calibration_free(c);
        if (!fine) return false;
    }
    return true;
}

bool hd_model_rules_apply(const struct hd_model_rules *rules, struct hd_resolved *r,
                          struct hd_problem *problem) {
    struct hd_question *q = &r->question;
    int n = r->trace->models;
    q->models = n;
    q->model = hd_alloc(sizeof *q->model * (size_t)n);
    int *rule = hd_alloc(sizeof *rule * (size_t)n);
    int *card = hd_alloc(sizeof *card * (size_t)n);
    bool *known = hd_alloc(sizeof *known * (size_t)n);
    struct hd_model_card *chosen = hd_alloc(sizeof *chosen * (size_t)n);
    bool all = true, fine = true;
    for (int i = 0; i < n; i++) {
        struct hd_err ignored = {0};
        rule[i] = rule_of(rules, r->trace->model[i]);
        if (rule[i] < 0)
            chosen[i].spec = hd_catalog_model_said(r->catalog, r->trace->model[i],
                                                   chosen[i].said, &ignored);
        known[i] = rule[i] >= 0 || chosen[i].spec;
        all &= known[i];
    }
    if (!all) fine = unmapped(r, known, problem);
    for (int k = 0; k < rules->rules && fine; k++) {
        int names = 0;
        for (int i = 0; i < n; i++) names += rule[i] == k;
        if (names == 0) continue;
        deal(&rules->rule[k], rules->seed, names, card);
        for (int i = 0, at = 0; i < n; i++)
            if (rule[i] == k) chosen[i] = rules->rule[k].card[card[at++]];
    }
    for (int i = 0; i < n && fine; i++)
        fine = place_model(r, i, rules, rule[i] < 0 ? NULL : &rules->rule[rule[i]],
                           chosen[i], problem);
    fine = fine && check_forms(r, rules, rule, problem);
    free(rule);
    free(card);
    free(known);
    free(chosen);
    return fine;
}
