/* Reading the command line. */
#include "options.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

#define FULL_BUDGET_S (25 * 60)
#define QUICK_BUDGET_S (4 * 60)

static const struct {
    const char *name, *value, *help;
} table[] = {
    {"list", NULL, "print what can be measured, and end"},
    {"only", "NAME[,NAME]", "measure these quantities alone; may be repeated"},
    {"budget", "SECONDS", "time for all of it, also as 25m [1500, with --quick 240]"},
    {"quick", NULL, "the short lists of shapes"},
    {"output", "FILE",
     "the rows; an existing file is gone on with "
     "[hotdesk-bench-GPU.csv]"},
    {"gpu", "NAME", "the GPU's name in the catalogue [from the device's name]"},
    {"seed", "N", "for the values of matrices and the order of blocks [1]"},
    {"help", NULL, "print this"},
};
enum { OPTIONS = sizeof table / sizeof *table };

void options_help(FILE *out) {
    fputs("hotdesk-bench [options]\n"
          "Measures the kernels, copies and calls that hotdesk predicts times from, on "
          "GPU 0,\nand writes a CSV that `hotdesk calibrate` reads.\n\n",
          out);
    for (int i = 0; i < OPTIONS; i++) {
        char *name = hd_format("--%s%s%s", table[i].name, table[i].value ? " " : "",
                               table[i].value ? table[i].value : "");
        fprintf(out, "  %-20s %s\n", name, table[i].help);
        free(name);
    }
    fputs("\nexample: hotdesk-bench --quick --only hbm,gemm --output h100.csv\n", out);
}

static bool unknown(const char *name, struct hd_err *err) {
    const char *names[OPTIONS];
    for (int i = 0; i < OPTIONS; i++) names[i] = table[i].name;
    const char *near = hd_nearest(name, names, OPTIONS);
    if (near)
        return hd_fail(err, "--%s: no such option; the nearest is --%s", name, near);
    return hd_fail(err, "--%s: no such option; --help lists them", name);
}

static bool take_only(struct options *o, const char *text, const char *const *known,
                      int count, struct hd_err *err) {
    char *words = hd_strdup(text), *rest = words, *word;
    bool ok = true;
    while (ok && (word = strsep(&rest, ","))) {
        const char *found = NULL;
        for (int i = 0; i < count; i++)
            if (strcmp(known[i], word) == 0) found = known[i];
        if (!found) {
            const char *near = hd_nearest(word, known, count);
            ok = hd_fail(err, "--only %s: no such quantity; %s%s", word,
                         near ? "the nearest is " : "--list prints them",
                         near ? near : "");
        } else if (o->only == OPTIONS_ONLY) {
            ok = hd_fail(err, "--only: more than %d names", (int)OPTIONS_ONLY);
        } else if (!options_want(o, found) || o->only == 0) {
            o->name[o->only++] = found;
        }
    }
    free(words);
    return ok;
}

static bool take_budget(struct options *o, const char *text, struct hd_err *err) {
    struct hd_err number = {0};
    if (!hd_parse_number(text, &o->budget_s, &number) &&
        !hd_parse_duration(text, &o->budget_s, err))
        return false;
    if (o->budget_s > 0 && isfinite(o->budget_s)) return true;
    return hd_fail(err, "'%s' is no time to measure in; expected seconds above 0",
                   text);
}

static bool take_name(const char **field, const char *text, struct hd_err *err) {
    if (text[0] == '\0' || strpbrk(text, ",\"\n"))
        return hd_fail(err, "'%s' is no name", text);
    *field = text;
    return true;
}

static bool take(struct options *o, const char *name, const char *value,
                 const char *const *known, int count, struct hd_err *err) {
    long seed = 0;
    if (strcmp(name, "list") == 0) return o->list = true;
    if (strcmp(name, "quick") == 0) return o->quick = true;
    if (strcmp(name, "help") == 0) return o->help = true;
    if (strcmp(name, "only") == 0) return take_only(o, value, known, count, err);
    struct hd_err why = {0};
    bool ok;
    if (strcmp(name, "budget") == 0) {
        ok = take_budget(o, value, &why);
    } else if (strcmp(name, "output") == 0) {
        o->output = value;
        ok = value[0] != '\0' || hd_fail(&why, "expected the name of a file");
    } else if (strcmp(name, "gpu") == 0) {
        ok = take_name(&o->gpu, value, &why);
    } else {
        ok = hd_parse_integer(value, 0, 1000000000, &seed, &why);
        o->seed = (unsigned long)seed;
    }
    return ok || hd_fail(err, "--%s: %s", name, why.text);
}

bool options_parse(struct options *o, int argc, char **argv, const char *const *known,
                   int count, struct hd_err *err) {
    *o = (struct options){.seed = 1};
    unsigned seen = 0;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strncmp(word, "--", 2) != 0 || word[2] == '\0')
            return hd_fail(err, "%s: expected an option; --help lists them", word);
        const char *equals = strchr(word, '=');
        size_t length = equals ? (size_t)(equals - word) : strlen(word);
        int found = -1;
        for (int j = 0; j < OPTIONS; j++)
            if (strlen(table[j].name) == length - 2 &&
                strncmp(table[j].name, word + 2, length - 2) == 0)
                found = j;
        if (found < 0) {
            char *name = hd_format("%.*s", (int)length - 2, word + 2);
            unknown(name, err);
            free(name);
            return false;
        }
        const char *name = table[found].name, *value = equals ? equals + 1 : NULL;
        if (!table[found].value && value)
            return hd_fail(err, "--%s takes no value", name);
        if (table[found].value && !value && i + 1 < argc) value = argv[++i];
        if (table[found].value && !value)
            return hd_fail(err, "--%s: expected --%s %s", name, name,
                           table[found].value);
        if ((seen & 1u << found) && strcmp(name, "only") != 0)
            return hd_fail(err, "--%s: given twice; once is enough", name);
        seen |= 1u << found;
        if (!take(o, name, value, known, count, err)) return false;
    }
    if (o->budget_s == 0) o->budget_s = o->quick ? QUICK_BUDGET_S : FULL_BUDGET_S;
    return true;
}

bool options_want(const struct options *o, const char *name) {
    for (int i = 0; i < o->only; i++)
        if (strcmp(o->name[i], name) == 0) return true;
    return o->only == 0;
}
