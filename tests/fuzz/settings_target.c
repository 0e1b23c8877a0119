/* Lua that is read in the sandbox: scenarios, recipes, policies. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/scenario.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "market/recipe.h"
#include "policy/host.h"

/* The text of what a scenario says; asked is freed. */
static char *text_of(struct hd_asked *asked) {
    char *text = hd_scenario_text(asked, false, NULL);
    hd_asked_free(asked);
    return text;
}

/* What is written can be read, and says the same when it is written again: from the
 * second time on, since a default is a text that may stand for a list. */
static void write_again(struct hd_asked *asked, unsigned command) {
    char *text = text_of(asked);
    for (int time = 0; time < 2; time++) {
        struct hd_problem problem = {0};
        struct hd_asked again;
        hd_asked_init(&again, command);
        const char *path = fuzz_file(1, text, strlen(text));
        fuzz_require(hd_scenario_read(&again, path, &problem),
                     "what was written cannot be read: %s", problem.err.text);
        char *next = text_of(&again);
        fuzz_require(time == 0 || strcmp(text, next) == 0,
                     "a scenario changed:\n%s\n%s", text, next);
        free(text);
        text = next;
    }
    free(text);
}

void fuzz_scenario(const uint8_t *bytes, size_t count) {
    static const unsigned commands[] = {HD_FOR_REPLAY, HD_FOR_COMPARE};
    for (int i = 0; i < 2; i++) {
        const char *path = fuzz_file(0, bytes, count);
        struct hd_problem problem = {0};
        struct hd_asked asked;
        hd_asked_init(&asked, commands[i]);
        if (hd_scenario_read(&asked, path, &problem)) {
            write_again(&asked, commands[i]);
        } else {
            fuzz_check_error(&problem.err);
            hd_asked_free(&asked);
        }
    }
}

void fuzz_recipe(const uint8_t *bytes, size_t count) {
    struct hd_err err = {0}, other = {0};
    const char *path = fuzz_file(0, bytes, count);
    struct hd_market *market = hd_recipe_load(path, &err);
    struct hd_market *again = hd_recipe_load(path, &other);
    fuzz_require(!market == !again && strcmp(err.text, other.text) == 0,
                 "once '%s', then '%s'", err.text, other.text);
    if (!market) fuzz_check_error(&err);
    hd_market_free(market);
    hd_market_free(again);
}

void fuzz_policy(const uint8_t *bytes, size_t count) {
    struct hd_err err = {0};
    struct hd_script *script = hd_script_load(fuzz_file(0, bytes, count), &err);
    if (!script) {
        fuzz_check_error(&err);
        return;
    }
    for (int i = 0; i < script->params; i++) {
        struct hd_param_values *values = hd_values_new(script);
        char *text = hd_param_default(&script->param[i]);
        fuzz_require(hd_script_set(script, values, script->param[i].name, text, &err),
                     "a default is refused: %s", err.text);
        free(text);
        hd_values_free(script, values);
    }
    struct hd_policy *policy = hd_script_new(script, NULL, &err);
    fuzz_require(policy || *err.text, "no policy, and no word");
    if (policy) hd_script_end(policy);
    hd_script_free(script);
}
