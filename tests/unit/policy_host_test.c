/* The objects, actions and questions of a script: each works as the manual says, and
 * each mistake is one clear line. The scripts check for themselves with assert. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy_world.h"

/* 4 GPUs, one instance on each, all models loaded on demand by whoever is asked. */
#define START                                                                          \
    "local P = {about = 'test'}\nlocal a, b, c, d\n"                                   \
    "function P.start() a, b, c, d = pool:form{role = 's'}, pool:form{role = 's'}, "   \
    "pool:form{role = 's', weights = 'many'}, pool:form{role = 't', kv_bytes = 1e10} " \
    "end\n"
#define SERVE "function P.arrive(req) req:join(pool:least('s', 'requests', req)) end\n"

static void expect_whole(const char *source, int workload) {
    struct policy_outcome o = policy_run_text(source, workload, false);
    if (o.end != HD_RUN_WHOLE)
        fail_msg("%.70s ...\n  gave '%s' '%s'", source, o.text, o.note);
}

static void expect_file(const char *name, int workload) {
    char *part = hd_format("tests/policies/%s.lua", name), *source = policy_file(part);
    expect_whole(source, workload);
    free(source);
    free(part);
}

/* ---- mistakes ------------------------------------------------------------ */

/* Each is the body of `arrive`, called at 5 s with the first request. */
static void test_mistakes_in_calls(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        /* fields */
        {"local x = req.modle", "a request has no field 'modle'; nearest: model"},
        {"local x = a.zzzzzz", "an instance has no field 'zzzzzz' ("},
        {"local x = req[1]", "a request has fields with names only, not a number"},
        {"req.input = 3",
         "field 'input' of a request is read-only; only `tag` is yours"},
        {"pool.now = 3", "field 'now' of the pool is read-only"},
        {"a[1] = 3", "field '?' of an instance is read-only"},
        {"set.x = 3", "set: parameters are read-only"},
        {"local x = set.x", "set.x: no such parameter is declared; there are: none"},
        {"local x = req.output",
         "request.output: hidden; a policy that declares oracle"},
        {"local x = req.model.mean_rate", "model.mean_rate: hidden; a policy that"},
        {"local x = req < req", "attempt to compare two userdata values"},
        {"local x = #req", "attempt to get length of a userdata value (local 'req')"},
        {"setmetatable(req, {})", "bad argument #1 to 'setmetatable' (table expected"},
        {"local x = getmetatable(req).__index", "attempt to index a boolean value"},
        /* the object before the colon */
        {"req.join(a)", "join: called on an instance; expected request:join(...) with "
                        "a request before "
                        "the colon"},
        {"req.join()", "join: called on missing; expected request:join(...)"},
        {"pool.find(req, 's')", "find: called on a request; expected pool:find(...)"},
        {"local g = nil g:move(a)", "attempt to index a nil value (local 'g')"},
        /* arguments */
        {"req:join(7)",
         "join: argument 1 is a number; expected an instance, a group, or nil"},
        {"req:join(req)",
         "join: argument 1 is a request; expected an instance, a group"},
        {"req:join(a, {kv = 'now'})", "join: kv is \"now\"; expected \"pull\""},
        {"req:join(a, {kv = 'live'})", "copying while decoding is not modelled yet"},
        {"req:join(a, {vk = 'pull'})", "join: no option 'vk'; there are: kv"},
        {"req:join(a, 'pull')",
         "join: argument 2 is a string; expected a table of opt"},
        {"req:park()", "park: argument 1 missing; expected a string"},
        {"req:park('disk')", "park: \"disk\"; expected one of: drop, host"},
        {"a:group()", "group: argument 1 missing; expected a model"},
        {"a:group(req)", "group: argument 1 is a request; expected a model"},
        {"a:load('m00')", "load: argument 1 is a string; expected a model"},
        {"a:unload(3)", "unload: argument 1 is a number; expected a model"},
        {"a:run()", "run: argument 1 missing; expected a group"},
        {"a:dissolve{drain = 1}",
         "dissolve: drain is a number; expected true or false"},
        {"a:limit{kv_bytes = 0}", "limit: kv_bytes is 0"},
        {"a:limit{share = 0.5}", "limit: share: an instance keeps the one that it was"},
        {"a:limit{memory = 1e9}", "limit: memory: instance 0 shares no GPU"},
        {"pool:after()", "after: argument 1 missing; expected a number"},
        {"pool:after(1)", "after: the policy has no `timer` to be called"},
        {"pool:least('s', 'load')",
         "least: \"load\"; expected one of: groups, requests, waiting, waiting_tokens, "
         "queue_s, rest_at"},
        {"pool:least('s', 'groups', 3)",
         "least: argument 3 is a number; expected a model, a request, or nothing"},
        {"pool:count(3)", "count: argument 1 is a number; expected a string"},
        {"pool:find(req, 's', {room = -1})",
         "find: room: expected a whole number, 0 or"},
        {"pool:find(a, 's')", "find: argument 1 is an instance; expected a request"},
        {"pool:held(a)", "held: argument 1 is an instance; expected a model"},
        {"a:each('size')", "each: \"size\"; expected one of: model"},
        {"a:estimate('luck')", "estimate: \"luck\"; expected one of: prefill, step,"},
        {"a:estimate('prefill', 5)", "estimate: no model has run on this instance"},
        {"a:estimate('prefill', 'x')",
         "estimate: argument 2 is a string; expected a req"},
        {"a:estimate('step', req)",
         "estimate: argument 2 is a request; expected a group"},
        {"b:estimate('step', a:group(req.model))",
         "estimate: the group is on instance 0, not 1"},
        {"a:estimate('swap', a)",
         "estimate: argument 2 is an instance; expected a group "
         "or a request"},
        {"pool:estimate('load', 'H1000', 1, 1, req.model)",
         "estimate: no GPU type 'H1000' in this fleet"},
        {"pool:estimate('load', 'large', 0, 1, req.model)", "estimate: 0 GPUs"},
        {"pool:estimate('load', 'large', 1, 1.5, req.model)", "estimate: share 1.5"},
        {"pool.nodes[1]:cache(req.model)",
         "cache: argument 2 missing; expected true or"},
        {"pool.nodes[1]:tier()", "tier: argument 1 missing; expected a model"},
        /* form */
        {"pool:form()", "form: argument 1 missing; expected a table such as {role"},
        {"pool:form{}", "form: needs role = \"NAME\""},
        {"pool:form{role = ''}", "form: needs a role"},
        {"pool:form{role = 's', gpus = 0}", "form: gpus is 0; expected at least 1"},
        {"pool:form{role = 's', gpus = 1.5}",
         "form: gpus is a number; expected a whole"},
        {"pool:form{role = 's', gpus = 65}", "form: 65 GPUs: at most 64"},
        {"pool:form{role = 's', gpu = 2}", "form: no option 'gpu'; nearest: gpus"},
        {"pool:form{role = 's', type = 'B300'}",
         "form: no GPU type 'B300' in this fleet"},
        {"pool:form{role = 's', share = -1}", "form: share is -1"},
        {"pool:form{role = 's', prefill_share = 0}", "form: prefill_share is 0"},
        {"pool:form{role = 's', sharing = 'turns'}",
         "form: sharing is \"turns\"; expected \"mps\" or \"time_slice\""},
        {"pool:form{role = 's', memory = 0}", "form: memory is 0"},
        {"pool:form{role = 's', share = 2}", "form: share is 2"},
        {"pool:form{role = 's', kv = 'elastic'}", "form: kv = \"elastic\": not modelled"},
        {"pool:form{role = 's', kv = 'soft'}",
         "form: kv is \"soft\"; expected \"fixed\""},
        {"pool:form{role = 's', node = 1}", "form: node is a number; expected a node"},
        {"pool:form{role = 's', on = {1}}", "form: on[1] is not a GPU"},
        {"pool:form{role = 's', on = {}}", "form: on has 0 GPUs; expected 1 to 64"},
        {"local g = pool.nodes[1].gpus pool:form{role = 's', on = {g[1], g[1]}}",
         "form: on names GPU 0 twice"},
        {"local g = pool.nodes[1].gpus pool:form{role = 's', gpus = 2, on = {g[1]}}",
         "form: gpus is 2, but on names 1"},
        /* what is impossible now */
        {"a:run(b:group(req.model))", "run: the group is on instance 1, not 0"},
        {"a:run(a:group(req.model))", "run: nothing in the group to run"},
        {"local g = a:group(req.model) req:join(g) a:run(g) a:run(g)",
         "run: instance 0 has a turn"},
        {"local g = a:group(req.model) req:join(g) a:run(g, {for_s = 0})",
         "run: for_s is 0"},
        {"local g = a:group(req.model) req:join(g) a:run(g, {out = 'away'})",
         "run: out is \"away\"; expected \"host\", \"drop\" or \"lazy\""},
        {"local g = a:group(req.model) req:join(g) a:run(g, {prefil = 1})",
         "run: no option 'prefil'; nearest: prefill"},
        {"local g = a:group(req.model) req:join(g) a:run(g, {max = 0})",
         "run: max is 0; expected at least 1"},
        {"local g = a:group(req.model) req:join(g) a:run(g, {strict = 1})",
         "run: strict is a number; expected true or false"},
        {"local g = a:group(req.model) req:join(g) a:run(g, {prefill = 1}) g:move(b)",
         "move: the group is running"},
        {"local g = a:group(req.model) req:join(g) a:run(g) a:unload(req.model)",
         "unload: a group of m00 is running"},
        {"local g = a:group(pool.models[2]) req:join(g)",
         "join: the request is for m00, the group for m01"},
        {"local g = a:group(req.model) g:merge(g)", "merge: a group with itself"},
        {"a:group(req.model):merge(a:group(pool.models[2]))",
         "merge: the groups are of different models"},
        {"a:group(req.model):merge(b)",
         "merge: argument 1 is an instance; expected a gr"},
        {"a:group(req.model):split(-1)",
         "split: room is -1; expected tokens, 0 or more"},
        {"a:group(req.model):fits(req, 1.5)",
         "fits: argument 2 is a number; expected a "
         "whole number"},
        {"local g = a:group(req.model) req:join(g) g:move(b) req:join(g)",
         "join: the group is closed"},
        {"local g = a:group(req.model) req:join(g) g:move(b) local x = g.size",
         "the group is closed: only `open` can be read"},
        {"req:reject() req:join(a)", "join: the request is finished"},
        {"a:dissolve{drain = true} req:join(a)", "join: instance 0 is closing"},
        {"a:dissolve{drain = true} a:group(req.model)", "group: instance 0 is closing"},
        {"error('own words')", "own words"},
        {"assert(false, 'no\\nway')", "no way"},
    };
    int failed = 0;
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        char *source =
            hd_format("%sfunction P.arrive(req) %s end\nreturn P", START, wrong[n][0]);
        struct policy_outcome o = policy_run_text(source, WORLD_BURST, false);
        if (o.end != HD_RUN_FAILED || !strstr(o.text, wrong[n][1])) {
            print_error("%s\n  gave      '%s'\n  expected  '%s'\n", wrong[n][0], o.text,
                        wrong[n][1]);
            failed++;
        } else if (!strstr(o.text, " (in arrive, at 5.000 s)")) {
            print_error("%s: no callback or time\n", o.text);
            failed++;
        }
        bool placed = strncmp(o.text, "t.lua:4: ", 9) == 0;
        if (!placed && !strstr(wrong[n][0], "assert")) {
            print_error("no line: %s\n", o.text);
            failed++;
        }
        assert_null(strchr(o.text, '\n'));
        free(source);
    }
    assert_int_equal(failed, 0);
}

/* ---- objects ------------------------------------------------------------- */

static void test_objects(void **state) {
    (void)state;
    expect_file("objects", WORLD_BURST);
}

static void test_a_finished_request_is_stale(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"local x = old.tokens",
         "t.lua:7: the request is finished: only `id`, `model`"},
        {"old:join(a)", "t.lua:7: join: the request is finished"},
        {"old.tag = 3", "t.lua:7: tag: the request is finished"},
        {"pool:find(old, 's')", "t.lua:7: find: the request is finished"},
        {"pool:least('s', 'groups', old)", "t.lua:7: least: the request is finished"}};
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        char *source =
            hd_format(START "local old\n"
                            "function P.arrive(req) "
                            "if not old then old = req return req:join(a) end\n"
                            "assert(old.state == 'done' and old.id == 0)\n"
                            "%s end\nreturn P",
                      wrong[n][0]);
        struct policy_outcome o = policy_run_text(source, WORLD_BURST, false);
        if (o.end != HD_RUN_FAILED || !strstr(o.text, wrong[n][1]))
            fail_msg("%s\n  gave '%s'", wrong[n][0], o.text);
        free(source);
    }
}

/* ---- actions and questions ----------------------------------------------- */

static void test_actions(void **state) {
    (void)state;
    expect_file("actions", WORLD_BURST);
    expect_file("stealing", WORLD_TIES);
    expect_file("dissolving", WORLD_BURST);
}

/* Iterators leave out what goes away while they run. */
static void test_iterators_survive(void **state) {
    (void)state;
    expect_whole(START "function P.arrive(req)\n"
                       "  if req.id == 0 then return end\n"
                       "  local count = 0\n"
                       "  for r in pool:held() do\n"
                       "    count = count + 1\n"
                       "    for other in pool:held() do other:reject() end\n"
                       "  end\n"
                       "  assert(count == 1)\n"
                       "end\n"
                       "return P",
                 WORLD_BURST);
}

/* Every period from the first on, also when nothing else happens. */
static void test_ticks(void **state) {
    (void)state;
    expect_whole("local P = {period_s = 2.5}\n"
                 "local ticks = 0\n"
                 "function P.start() pool:form{role = 's'} end\n"
                 "function P.tick()\n"
                 "  ticks = ticks + 1\n"
                 "  assert(pool.now == 2.5 * ticks)\n"
                 "  for r in pool:held() do r:join(pool:least('s', 'groups')) end\n"
                 "end\n"
                 "function P.done() assert(ticks > 1) end\n"
                 "return P",
                 WORLD_BURST);
}

/* ---- oracles, random numbers, threads ------------------------------------ */

static void test_oracle(void **state) {
    (void)state;
    expect_whole(
        "local P = {about = 'sees', clairvoyant = true}\n"
        "function P.start() pool:form{role = 's'} end\n"
        "function P.arrive(req)\n"
        "  if req.id == 0 then assert(req.output == 20) end\n"
        "  assert(req.model.mean_rate == 0.1 and req.model.mean_input == 300)\n"
        "  assert(req.model.mean_output == 100)\n"
        "  req:join(pool:least('s', 'groups'))\n"
        "end\n"
        "return P",
        WORLD_BURST);
}

static const char chance[] = START
    "function P.arrive(req) local i = ({a, b, c})[math.random(3)] req:join(i) end\n"
    "return P";

static void test_random_repeats(void **state) {
    (void)state;
    struct policy_outcome one = policy_run_text(chance, WORLD_BURST, false),
                          two = policy_run_text(chance, WORLD_BURST, true);
    assert_int_equal(one.end, HD_RUN_WHOLE);
    assert_true(one.digest == two.digest);
}

struct job {
    const struct hd_script *script;
    struct policy_outcome outcome;
};

static void *run_job(void *context) {
    struct job *j = context;
    j->outcome = policy_run(j->script, NULL, WORLD_FAILURES, false);
    return NULL;
}

/* Runs of one script side by side do not know of each other. */
static void test_threads(void **state) {
    (void)state;
    struct hd_err err = {""};
    struct hd_script *s = hd_script_load("aegaeon", &err);
    assert_non_null(s);
    struct job job[4];
    pthread_t thread[4];
    for (int n = 0; n < 4; n++) {
        job[n].script = s;
        assert_int_equal(pthread_create(&thread[n], NULL, run_job, &job[n]), 0);
    }
    for (int n = 0; n < 4; n++) pthread_join(thread[n], NULL);
    for (int n = 0; n < 4; n++) {
        assert_int_equal(job[n].outcome.end, HD_RUN_WHOLE);
        assert_true(job[n].outcome.digest == job[0].outcome.digest);
    }
    hd_script_free(s);
}

/* One start, one arrival for each request; `dedicated` has no turn and no done. */
static void test_callbacks_are_counted(void **state) {
    (void)state;
    struct hd_err err = {""};
    struct hd_script *s = hd_script_load("dedicated", &err);
    assert_non_null(s);
    struct policy_outcome o = policy_run(s, NULL, WORLD_BURST, false);
    assert_int_equal(o.calls[HD_CALLBACK_START], 1);
    assert_int_equal(o.calls[HD_CALLBACK_ARRIVE], 121);
    assert_int_equal(o.calls[HD_CALLBACK_TURN], 0);
    assert_int_equal(o.calls[HD_CALLBACK_DONE], 0);
    assert_string_equal(hd_callback_name(HD_CALLBACK_PREFILLED), "prefilled");
    hd_script_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_in_calls),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_a_finished_request_is_stale),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_iterators_survive),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_random_repeats),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_callbacks_are_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
