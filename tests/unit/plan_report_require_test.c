/* --require: what can be asked, what cannot, and what holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unit/report_world.h"

static struct report_world world;

/* Does it hold of the run? value gets what was found. */
static bool holds(const char *expr, double *value) {
    struct hd_requirement r;
    struct hd_err err = {""};
    if (!hd_require_read(expr, &world.question, false, &r, &err))
        fail_msg("%s: %s", expr, err.text);
    world.report.requirements = 1;
    world.report.requirement = &r;
    bool ok = hd_require_check_run(&world.report, &world.record);
    assert_int_equal(ok, r.ok);
    if (value) *value = r.value;
    hd_require_free(&r);
    world.report.requirements = 0;
    return ok;
}

static bool compared(const char *expr, char *where, size_t bytes) {
    struct hd_requirement r;
    struct hd_err err = {""};
    if (!hd_require_read(expr, &world.question, true, &r, &err))
        fail_msg("%s: %s", expr, err.text);
    world.report.requirements = 1;
    world.report.requirement = &r;
    bool ok = hd_require_check_comparison(&world.report, &world.comparison);
    if (where) snprintf(where, bytes, "%s", r.where);
    hd_require_free(&r);
    world.report.requirements = 0;
    return ok;
}

static void of_a_run(void **state) {
    (void)state;
    double value;
    report_world_make(&world);
    assert_true(holds("e2e.p50 <= 2.1s", &value));
    assert_true(fabs(value - 2) < 0.01);
    assert_false(holds("e2e.p50<=1900ms", NULL));
    assert_true(holds("e2e.p50_s>1900ms", NULL));
    assert_true(holds("attain.token>=95%", &value));
    assert_true(value == 2305.0 / 2420);
    assert_false(holds("attain.worst_model>=0.9", &value));
    assert_true(value == 0.25);
    assert_true(holds("attain.worst_model<attain.token", NULL));
    assert_true(holds("counts.rejected==5", NULL));
    assert_true(holds("counts.rejected!=0", NULL));
    assert_true(holds("gpu.idle_waiting==0", NULL));
    assert_true(holds("peak.vram<=124GB", NULL));
    assert_true(holds("goodput.requests_per_s>=2.5/s", NULL));
    assert_true(holds("gpu_hours<=15m", NULL)); /* 800 s */
    assert_true(holds("models.hot.attain.token>=95%", NULL));
    assert_false(holds("models.cold.attain.token>=95%", NULL));
    assert_true(holds("classes.default.requests==310", NULL));
    assert_false(holds("pass", NULL)); /* the rare ones fail */
    assert_true(holds("pass==no", NULL));
    assert_false(holds("cost.usd<=100", &value)); /* null never holds */
    assert_true(isnan(value));
    assert_false(holds("cost.usd>=0", NULL));
    world.record.end = HD_RUN_DECIDED;
    assert_false(holds("e2e.p50<=1h", NULL));
    assert_false(holds("pass==no", NULL));
    report_world_free(&world);
}

static void names_with_dots(void **state) {
    (void)state;
    report_world_make(&world);
    world.model[0].name = "qwen2";
    world.model[1].name = "qwen2.5-7b"; /* the longer name is meant */
    double value;
    holds("models.qwen2.requests>0", &value);
    assert_true(value == 200);
    holds("models.qwen2.5-7b.requests>0", &value);
    assert_true(value == 100);
    report_world_free(&world);
}

static void of_a_comparison(void **state) {
    (void)state;
    char where[128];
    report_world_make(&world);
    report_world_compare(&world, 2);
    assert_true(compared("policy.aegaeon.gpus<policy.dedicated.gpus", NULL, 0));
    assert_false(
        compared("policy.dedicated.gpus<=policy.aegaeon.gpus", where, sizeof where));
    assert_string_equal(where, "dedicated at 90 %, rule model, SLO x1");
    assert_true(compared("policy.aegaeon.gpus<=25", NULL, 0));
    /* in each row: 18, 15, 20, 17 at x1, more at x0.8 */
    assert_false(compared("policy.aegaeon.gpus<=20", where, sizeof where));
    assert_string_equal(where, "aegaeon at 99 %, rule model, SLO x0.8");
    assert_true(compared("policy.aegaeon.saved>=50%", NULL, 0));
    assert_true(compared("policy.aegaeon.reached==yes", NULL, 0));
    assert_false(compared("pass", where, sizeof where)); /* the last reaches nothing */
    assert_string_equal(where, "oracle at 90 %, rule model, SLO x0.8");
    assert_false(compared("policy.oracle.gpus<=1000", NULL, 0)); /* null where not */
    report_world_free(&world);
}

static void refuses(void **state) {
    (void)state;
    static const struct {
        bool compare;
        const char *expr, *says;
    } row[] = {
        {false, "ttft.p99<=2", "needs a unit"},
        {false, "ttft.p98<=2s", "did you mean `ttft.p9"},
        {false, "attain.token>=99", "0.99 or 99%"},
        {false, "peak.vram<=80", "unit"},
        {false, "goodput.requests_per_s>=2", "2/s"},
        {false, "models.hto.attain.token>=95%", "did you mean `hot`"},
        {false, "ttft.p99", "expected <="},
        {false, "ttft.p99<=", "expected a limit"},
        {false, "ttft.p99=2s", "expected <="},
        {false, "ttft.p99<=attain.token", "left is in s, right in fraction"},
        {false, "limit.resource==x", "not a number"},
        {false, "policy.aegaeon.gpus<=5", "no figure"},
        {false, "counts.done>=many", "no figure"},
        {false, "pass.ok==maybe", "no figure"},
        {false, "", "no figure"},
        {true, "ttft.p99<=2s", "policy.NAME"},
        {true, "policy.aegaeno.gpus<=5", "did you mean `aegaeon`"},
        {true, "policy.aegaeon.gpu<=5", "did you mean `gpus`"},
        {true, "policy.aegaeon.reached==pass", "stands on the left"},
    };
    report_world_make(&world);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct hd_requirement r;
        struct hd_err err = {""};
        if (hd_require_read(row[i].expr, &world.question, row[i].compare, &r, &err))
            fail_msg("%s was taken", row[i].expr);
        if (!strstr(err.text, row[i].says))
            fail_msg("%s: says \"%s\", not \"%s\"", row[i].expr, err.text, row[i].says);
        if (strchr(err.text, '\n')) fail();
        hd_require_free(&r);
    }
    report_world_free(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_run),
        cmocka_unit_test(names_with_dots),
        cmocka_unit_test(of_a_comparison),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
