/* Whole comparisons on small markets: against every number of GPUs tried, on one
 * thread and on several, out of reach, interrupted, and with policies that fail. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan/once.h"
#include "plan/replicas.h"
#include "plan_market.h"

/* One instance per GPU, models change as requests come. */
static const char pooled[] =
    "local P = {about = 'any request on the least loaded GPU'}\n"
    "function P.start() while pool:form{role = 'serve', gpus = 1} do end end\n"
    "function P.arrive(req)\n"
    "  local inst = pool:least('serve', 'requests', req.model)\n"
    "  if not inst or inst.requests >= 12 then\n"
    "    inst = pool:least('serve', 'requests', req)\n"
    "  end\n"
    "  if inst then req:join(inst) end\n"
    "end\n"
    "return P\n";

/* The same, but it will not start on one fleet. */
static const char moody[] =
    "local P = {about = 'there is a number of GPUs that it does not like'}\n"
    "function P.start()\n"
    "  if pool.free_gpus == %d then return 'an unlucky number' end\n"
    "  while pool:form{role = 'serve', gpus = 1} do end\n"
    "end\n"
    "function P.arrive(req)\n"
    "  local inst = pool:least('serve', 'requests', req.model)\n"
    "  if not inst or inst.requests >= 12 then\n"
    "    inst = pool:least('serve', 'requests', req)\n"
    "  end\n"
    "  if inst then req:join(inst) end\n"
    "end\n"
    "return P\n";

static const char fixed[] =
    "local P = {about = 'fixed replicas'}\n"
    "function P.start()\n"
    "  for _, m in ipairs(pool.models) do\n"
    "    for _ = 1, m.replicas do\n"
    "      local inst = pool:form{role = 'serve', gpus = m.tp, type = m.gpu}\n"
    "      if not (inst and inst:load(m)) then return 'too few GPUs' end\n"
    "    end\n"
    "  end\n"
    "end\n"
    "function P.arrive(req)\n"
    "  req:join(pool:least('serve', 'requests', req.model))\n"
    "end\n"
    "return P\n";

static const char broken[] =
    "local P = {about = 'fails at some time'}\n"
    "function P.start() while pool:form{role = 'serve', gpus = 1} do end end\n"
    "function P.arrive(req)\n"
    "  if req.id > 100 then error('no more') end\n"
    "  req:join(pool:least('serve', 'requests', req))\n"
    "end\n"
    "return P\n";

static struct market *small(uint64_t seed) {
    struct market *m = market_new(8, 8, 0.6, 60, seed);
    struct hd_question *q = &m->question;
    q->gpus_max = 40;
    q->attains = 2;
    q->attain[0] = 0.99;
    q->attain[1] = 0.9;
    q->scales = 2;
    q->scale[1] = 0.3;
    return m;
}

static void compare(struct market *m, struct hd_comparison *c) {
    struct hd_err err = {0};
    if (!hd_compare(&m->question, NULL, NULL, c, &err)) fail_msg("%s", err.text);
}

/* ---- against the definition ---------------------------------------------- */

enum { TRIED = 44 };
#ifdef HD_CHECKED
enum { MARKETS = 1 }; /* twenty times slower */
#else
enum { MARKETS = 2 };
#endif

/* Runs every number of GPUs whole, and each again as a search would: stopped as soon
 * as the criterion alone is lost. */
static void try_all(struct hd_setup *s, int policy, double scale,
                    const struct hd_criterion *criterion, bool *passes) {
    for (int n = 1; n <= TRIED; n++) {
        struct hd_watch watch[2] = {{.criteria = 1, .criterion = {*criterion}},
                                    {.criteria = 1, .criterion = {*criterion}}};
        watch[1].open = 1;
        struct hd_outcome o[2];
        for (int w = 0; w < 2; w++) {
            struct hd_scene scene;
            hd_scene_open(s, &(struct hd_case){scale, n, -1, NULL}, &scene);
            hd_once(&scene, policy, &(struct hd_views){.watch = &watch[w]}, &o[w]);
            hd_scene_close(&scene);
        }
        assert_int_equal(o[0].end, HD_RUN_WHOLE);
        passes[n] = watch[0].passes;
        assert_int_equal(watch[0].lost_at[0], watch[1].lost_at[0]);
        if (o[1].end == HD_RUN_DECIDED)
            assert_false(passes[n]);
        else
            assert_int_equal(watch[1].passes, watch[0].passes);
        for (int w = 0; w < 2; w++) hd_outcome_free(&o[w]);
    }
}

static void answers_are_by_definition(void **state) {
    (void)state;
    int exact = 0;
    for (uint64_t seed = 1; seed <= MARKETS; seed++) {
        struct market *m = small(seed);
        market_policy(m, "pooled", pooled);
        struct hd_comparison c;
        compare(m, &c);
        struct hd_err err = {0};
        struct hd_setup *s = hd_setup_new(&m->question, &err);
        assert_int_equal(c.answers, 8);
        for (int i = 0; i < c.answers; i++) {
            const struct hd_answer *a = &c.answer[i];
            struct hd_criterion criterion = {HD_METRIC_TOKEN, a->rule, a->attain};
            bool passes[TRIED + 1] = {false};
            try_all(s, 0, a->scale, &criterion, passes);
            int least = 0, row = 0, longest_below = 0;
            for (int n = 1; n <= TRIED; n++) {
                row = passes[n] ? row + 1 : 0;
                if (row == 5 && !least) least = n - 4;
                if (!passes[n]) longest_below = least ? 5 : longest_below;
            }
            assert_true(a->whole && a->reached);
            for (int n = a->gpus; n <= a->gpus + 4; n++) assert_true(passes[n]);
            assert_true(a->gpus == 1 || !passes[a->gpus - 1]);
            if (longest_below < 5) {
                exact++;
                assert_int_equal(a->gpus, least);
            }
            assert_int_equal(a->record->gpus, a->gpus);
            assert_true(hd_passes(a->record->measure, &criterion));
            assert_int_equal(a->record->end, HD_RUN_WHOLE);
            assert_int_equal(a->limit.known, a->gpus > 1);
            assert_true(a->probes > 0 && a->probes_cut < a->probes);
        }
        hd_setup_free(s);
        hd_comparison_free(&c);
        market_free(m);
    }
    assert_true(exact >= 6 * MARKETS);
}

/* ---- threads ------------------------------------------------------------- */

static void the_number_of_threads_changes_nothing(void **state) {
    (void)state;
    char *text[3];
    int jobs[] = {1, 2, 7};
    for (int j = 0; j < 3; j++) {
        struct market *m = small(3);
        m->question.jobs = jobs[j];
        market_policy(m, "pooled", pooled);
        char lua[1000];
        snprintf(lua, sizeof lua, moody, 12);
        market_policy(m, "moody", lua);
        market_policy(m, "fixed", fixed);
        struct hd_comparison c;
        compare(m, &c);
        text[j] = market_text(&m->question, &c);
        hd_comparison_free(&c);
        market_free(m);
    }
    assert_string_equal(text[0], text[1]);
    assert_string_equal(text[0], text[2]);
    for (int j = 0; j < 3; j++) free(text[j]);
}

/* ---- the baseline -------------------------------------------------------- */

static void fixed_replicas_are_the_baseline(void **state) {
    (void)state;
    struct market *m = small(4);
    market_policy(m, "fixed", fixed);
    struct hd_comparison c;
    compare(m, &c);
    struct hd_err err = {0};
    for (int i = 0; i < c.answers; i++) {
        const struct hd_answer *a = &c.answer[i];
        assert_true(a->reached && a->saved == 0);
        assert_int_equal(a->gpus, a->baseline_gpus);
        int sum = 0, replicas[8];
        struct hd_setup *setup = hd_setup_new(&m->question, &err);
        for (int n = 0; n < 8; n++) {
            struct hd_need need;
            struct hd_effort effort = {0};
            assert_true(
                hd_needs_of(setup, n, a->scale, &a->attain, 1, &need, &effort, &err));
            assert_false(need.hopeless);
            sum += replicas[n] = need.replicas;
        }
        hd_setup_free(setup);
        assert_true(a->gpus >= sum);
        if (a->gpus == sum)
            assert_memory_equal(replicas, a->record->replicas, sizeof replicas);
        assert_true(a->one_each_attained > 0 && a->one_each_attained <= 1);
        /* A replay on so many GPUs is the run that the answer shows. */
        struct hd_run_record again;
        double attain = m->question.attain[0];
        m->question.attain[0] = a->attain;
        m->question.part[0].gpus = a->gpus;
        assert_true(
            hd_replay(&m->question, 0, a->scale, NULL, NULL, NULL, &again, &err));
        m->question.attain[0] = attain;
        assert_int_equal(again.gpus, a->gpus);
        assert_memory_equal(again.replicas, a->record->replicas, sizeof replicas);
        assert_int_equal(again.measure->tokens_on_time,
                         a->record->measure->tokens_on_time);
        assert_int_equal(hd_hist_quantile(&again.measure->ttft, 0.5),
                         hd_hist_quantile(&a->record->measure->ttft, 0.5));
        hd_run_record_free(&again);
    }
    assert_int_equal(c.one_each_gpus, 8);
    hd_comparison_free(&c);
    market_free(m);
}

/* ---- dips, and what cannot be reached ------------------------------------ */

static void a_fleet_that_a_policy_refuses_is_a_dip(void **state) {
    (void)state;
    int seen = 0;
    for (int above = 0; above <= 6; above++) {
        struct market *m = small(5);
        m->question.scales = m->question.attains = 1;
        market_policy(m, "pooled", pooled);
        struct hd_comparison plain, c;
        compare(m, &plain);
        int from = plain.answer[0].gpus, unlucky = from + above;
        char lua[1000];
        snprintf(lua, sizeof lua, moody, unlucky);
        market_policy(m, "moody", lua);
        compare(m, &c);
        const struct hd_answer *a = &c.answer[1];
        assert_int_equal(a->policy, 1);
        assert_true(a->rule == plain.answer[0].rule && a->reached);
        if (above <= 4) {
            assert_int_equal(a->gpus, unlucky + 1);
            /* If the search came upon it from above, nothing below was run. */
            assert_in_range(a->above, 0, above > 0);
            if (a->above) assert_int_equal(a->fails_above[0], unlucky);
            seen += a->above;
            char note[64];
            snprintf(note, sizeof note, "%d: an unlucky number", unlucky);
            assert_string_equal(a->note, note);
            assert_false(a->limit.known);
        } else {
            assert_true(a->gpus == from || a->gpus == unlucky + 1);
        }
        hd_comparison_free(&plain);
        hd_comparison_free(&c);
        market_free(m);
    }
    assert_in_range(seen, 1, 4);
}

static void out_of_reach(void **state) {
    (void)state;
    struct market *m = small(6);
    m->question.scales = 1;
    market_policy(m, "pooled", pooled);
    m->slo.ttft_s = 0.001;
    m->slo.tbt_s = 0.001;
    struct hd_comparison c;
    compare(m, &c);
    for (int i = 0; i < c.answers; i++) {
        const struct hd_answer *a = &c.answer[i];
        assert_true(a->whole && !a->reached && isnan(a->saved));
        assert_int_equal(a->gpus, 0);
        assert_non_null(strstr(a->why_not, "the TTFT limit is 0.001 s"));
        assert_int_equal(a->record->gpus, 40);
        assert_true(a->best < a->attain);
    }
    assert_true(c.complete);
    hd_comparison_free(&c);
    /* A tenth of the rows is beyond any context: 99 % needs no run to be given up. */
    m->slo.ttft_s = 10;
    m->slo.tbt_s = 0.1;
    for (int64_t n = 0; n < m->trace.rows; n += 20)
        m->trace.row[n].input_tokens = 10000000;
    compare(m, &c);
    for (int i = 0; i < c.answers; i++) {
        const struct hd_answer *a = &c.answer[i];
        assert_int_equal(a->reached, a->attain < 0.95);
        if (a->reached) continue;
        assert_null(a->record);
        assert_non_null(strstr(a->why_not, "exceed their model's context"));
    }
    hd_comparison_free(&c);
    market_free(m);
}

/* ---- failures and interrupts --------------------------------------------- */

static void a_broken_policy_is_named(void **state) {
    (void)state;
    char text[2][1024];
    for (int j = 0; j < 2; j++) {
        struct market *m = small(7);
        m->question.jobs = 1 + 3 * j;
        market_policy(m, "pooled", pooled);
        market_policy(m, "broken", broken);
        struct hd_comparison c;
        struct hd_err err = {0};
        assert_false(hd_compare(&m->question, NULL, NULL, &c, &err));
        memcpy(text[j], err.text, sizeof text[j]);
        struct hd_run_record r;
        struct hd_err replay_err = {0};
        assert_false(hd_replay(&m->question, 1, 1, NULL, NULL, NULL, &r, &replay_err));
        assert_non_null(strstr(replay_err.text, "no more"));
        market_free(m);
    }
    assert_non_null(strstr(text[0], "broken.lua:4"));
    assert_non_null(strstr(text[0], "no more"));
}

struct stop {
    atomic_int flag;
    int after, searches, searches_done;
    bool wrong;
};

static void stop_after(void *context, const struct hd_progress *p) {
    struct stop *s = context;
    s->searches = p->searches;
    s->searches_done = p->searches_done;
    s->wrong |= p->searches_done > p->searches || p->runs_cut > p->runs;
    if (p->runs >= s->after) s->flag = 1;
}

static void interrupted_keeps_what_is_whole(void **state) {
    (void)state;
    struct market *m = small(8);
    market_policy(m, "pooled", pooled);
    market_policy(m, "fixed", fixed);
    struct hd_comparison all;
    compare(m, &all);
    int some = 0;
    struct stop never = {.after = 1 << 30};
    struct hd_comparison whole;
    struct hd_err none = {0};
    m->question.jobs = 3;
    assert_true(hd_compare(&m->question, stop_after, &never, &whole, &none));
    assert_true(whole.complete && never.searches_done == never.searches);
    hd_comparison_free(&whole);
    for (int after = 1; after < 120; after += 17) {
        struct stop stop = {.after = after};
        struct hd_comparison c;
        struct hd_err err = {0};
        m->question.interrupted = &stop.flag;
        m->question.jobs = after % 2 ? 1 : 3;
        assert_true(hd_compare(&m->question, stop_after, &stop, &c, &err));
        assert_false(stop.wrong);
        assert_true(stop.flag || c.complete); /* or it came with the last run */
        assert_int_equal(c.answers, all.answers);
        int whole = 0;
        for (int i = 0; i < c.answers; i++) {
            if (!c.answer[i].whole) continue;
            whole++;
            assert_int_equal(c.answer[i].gpus, all.answer[i].gpus);
            assert_int_equal(c.answer[i].probes, all.answer[i].probes);
            assert_non_null(c.answer[i].record);
        }
        some += whole > 0 && whole < c.answers;
        hd_comparison_free(&c);
    }
    assert_true(some > 0);
    hd_comparison_free(&all);
    market_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_by_definition),
        cmocka_unit_test(the_number_of_threads_changes_nothing),
        cmocka_unit_test(fixed_replicas_are_the_baseline),
        cmocka_unit_test(a_fleet_that_a_policy_refuses_is_a_dip),
        cmocka_unit_test(out_of_reach),
        cmocka_unit_test(a_broken_policy_is_named),
        cmocka_unit_test(interrupted_keeps_what_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
