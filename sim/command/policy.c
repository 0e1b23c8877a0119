/* hotdesk policy: which policies there are, what one declares, whether it is sound,
 * and a new one to start from. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/home.h"
#include "base/mem.h"
#include "command/args.h"
#include "command/command.h"
#include "output/text_table.h"
#include "plan/check.h"

enum { NEW = 1, CHECK = 2, PLAIN = 4 }; /* bits of the words that take an option */

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, NEW, "from", "NAME|FILE", NULL, NULL, false,
     "with `new`: the policy to start from"},
    {HD_GROUP_WHAT, CHECK, "set", "key=value", NULL, NULL, true,
     "with `check`: a parameter of the policy"},
    {HD_GROUP_RUN, CHECK, "step", NULL, NULL, NULL, false,
     "with `check`: simulates one iteration at a time; the result is the same"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk policy [list | NAME | check NAME | new NAME --from OTHER]",
    "Lists the policies, or shows what one does, what it sees and its parameters. A\n"
    "policy is a Lua file; a bare name is one that ships. `check` runs a policy on\n"
    "small workloads made to break one, and exits with 3 if it loses a request or\n"
    "lets one starve. `new` copies a policy to policies/NAME.lua for you to change.",
    {"hotdesk policy aegaeon", "hotdesk policy check aegaeon"},
};

static const char *sees(const struct hd_script *s) {
    if (s->clairvoyant) return "sees output lengths and rates (clairvoyant)";
    if (s->sees_output) return "sees output lengths";
    if (s->sees_rates) return "sees no output lengths, but the trace's rates";
    return "sees no output lengths";
}

/* A mistyped name is a usage error, what is wrong in a file is bad input. */
static struct hd_script *load(const char *name, struct hd_problem *problem) {
    struct hd_err err = {""};
    struct hd_script *s = hd_script_load(name, &err);
    if (s) return s;
    char *shipped = hd_format("%s/policies/%s.lua", hd_home(), name);
    if (hd_script_is_file(name) || hd_file_exists(shipped))
        hd_bad_input(problem, "%s", err.text);
    else
        hd_usage(problem, "%s", err.text);
    free(shipped);
    return NULL;
}

/* ---- list, NAME ---------------------------------------------------------- */

static bool list(struct hd_problem *problem) {
    int count;
    char **name = hd_script_names(&count);
    if (count == 0)
        return hd_bad_input(problem, "%s/policies: no policies there", hd_home());
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "policy", false);
    hd_text_table_column(t, "what it does", false);
    bool fine = true;
    for (int n = 0; n < count; n++) {
        struct hd_script *s = fine ? load(name[n], problem) : NULL;
        fine = s != NULL;
        if (s) {
            hd_text_table_cell(t, "%s", s->name);
            hd_text_table_cell(t, "%s%s%s", s->about,
                               s->sees_output || s->sees_rates ? "; " : "",
                               s->sees_output || s->sees_rates ? sees(s) : "");
        }
        hd_script_free(s);
        free(name[n]);
    }
    free(name);
    if (fine) hd_text_table_print(t, 0, stdout);
    hd_text_table_free(t);
    return fine;
}

static void print_range(struct hd_text_table *t, const struct hd_param *p) {
    char *low = hd_param_limit(p, false), *high = hd_param_limit(p, true);
    char *texts = hd_strdup("");
    for (int n = 0; n < p->choices; n++) {
        char *more = hd_format("%s%s%s", texts, n ? ", " : "", p->choice[n]);
        free(texts);
        texts = more;
    }
    if (p->choices)
        hd_text_table_cell(t, "%s", texts);
    else if (low && high)
        hd_text_table_cell(t, "%s to %s", low, high);
    else if (low || high)
        hd_text_table_cell(t, "%s %s", low ? "from" : "up to", low ? low : high);
    else
        hd_text_table_cell(t, "any");
    free(texts);
    free(low);
    free(high);
}

static bool show(const char *name, struct hd_problem *problem) {
    struct hd_script *s = load(name, problem);
    if (!s) return false;
    printf("%s   %s\n%s   %s\n", s->name, s->about, s->path, sees(s));
    if (s->period_s > 0) printf("ticks every %g s\n", s->period_s);
    if (!s->params) printf("no parameters\n");
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "parameter", false);
    hd_text_table_column(t, "default", true);
    hd_text_table_column(t, "range", false);
    hd_text_table_column(t, "type", false);
    hd_text_table_column(t, "what it is", false);
    for (int n = 0; n < s->params; n++) {
        const struct hd_param *p = &s->param[n];
        char *value = hd_param_default(p);
        hd_text_table_cell(t, "%s", p->name);
        hd_text_table_cell(t, "%s", value);
        print_range(t, p);
        hd_text_table_cell(t, "%s", hd_param_type_name(p->type));
        hd_text_table_cell(t, "%s", p->help);
        free(value);
    }
    if (s->params) {
        putchar('\n');
        hd_text_table_print(t, 0, stdout);
    }
    hd_text_table_free(t);
    hd_script_free(s);
    return true;
}

/* ---- check --------------------------------------------------------------- */

static bool set_values(const struct hd_script *s, struct hd_param_values *values,
                       const struct hd_args *args, struct hd_problem *problem) {
    struct hd_err err = {""};
    for (int n = 0; n < args->count; n++) {
        if (strcmp(args->given[n].option->name, "set") != 0) continue;
        const char *text = args->given[n].value, *equals = strchr(text, '=');
        if (!equals || equals == text)
            return hd_usage(problem, "--set %s: expected key=value", text);
        char *key = hd_format("%.*s", (int)(equals - text), text);
        bool fine = hd_script_set(s, values, key, equals + 1, &err);
        free(key);
        if (!fine) return hd_usage(problem, "--set %s", err.text);
    }
    return true;
}

static void print_check(const struct hd_script *s, const struct hd_check *c) {
    printf("%s   %d of %d miniature workloads pass, %d requests lost, %d starved, ",
           s->name, c->passed, c->workloads - c->refused, c->lost, c->starved);
    if (c->refused) printf("%d not run, ", c->refused);
    if (c->rejected) printf("%d rejected by choice, ", c->rejected);
    printf("GPUs idle with work waiting %.1f %% of the time, %s\n",
           100 * c->idle_fraction, sees(s));
    for (int n = 0; n < c->workloads; n++) {
        const struct hd_check_result *r = &c->result[n];
        if (!r->ran)
            printf("not run   %s (%s): %s\n", r->name, r->why, r->note.text);
        else if (r->lost || r->starved)
            printf("FAILED    %s (%s): %d of %d requests lost, %d starved%s%s\n",
                   r->name, r->why, r->lost, r->requests, r->starved,
                   r->note.text[0] ? "; " : "", r->note.text);
    }
    fprintf(stderr, "%.2f us per decision, simulation included\n",
            c->decisions ? 1e6 * c->wall_s / (double)c->decisions : 0.0);
}

/* *sound: false when the answer is no. */
static bool check(const char *name, const struct hd_args *args, bool *sound,
                  struct hd_problem *problem) {
    struct hd_script *s = load(name, problem);
    if (!s) return false;
    struct hd_param_values *values = hd_values_new(s);
    struct hd_check *c = hd_alloc(sizeof *c);
    struct hd_err err = {""};
    bool fine = set_values(s, values, args, problem);
    if (fine && !hd_check_policy(s, values, hd_args_get(args, "step") != NULL, c, &err))
        fine = hd_bad_input(problem, "%s", err.text);
    if (fine) {
        print_check(s, c);
        *sound = c->passed > 0 && c->passed + c->refused == c->workloads;
    }
    free(c);
    hd_values_free(s, values);
    hd_script_free(s);
    return fine;
}

/* ---- new ----------------------------------------------------------------- */

static bool is_new_name(const char *name) {
    size_t length = strlen(name);
    return length && length <= 60 && *name != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789_-") == length;
}

/* policies/NAME.lua here if there is such a folder, else among hotdesk's own. */
static char *new_path(const char *name) {
    struct stat about;
    if (stat("policies", &about) == 0 && S_ISDIR(about.st_mode))
        return hd_format("policies/%s.lua", name);
    return hd_format("%s/policies/%s.lua", hd_home(), name);
}

static bool write_new(const char *path, const char *name, const struct hd_script *from,
                      struct hd_problem *problem) {
    FILE *file = fopen(path, "wx");
    if (!file && errno == EEXIST)
        return hd_bad_input(problem, "%s: is there already; nothing was written", path);
    if (!file) return hd_bad_input(problem, "%s: %s", path, strerror(errno));
    fprintf(file,
            "-- %s: a copy of %s to change. policies/README.md explains the calls;\n"
            "-- `hotdesk policy check %s` tells whether it still serves everyone.\n",
            name, from->name, path);
    fwrite(from->source, 1, from->length, file);
    bool written = !ferror(file);
    written = fclose(file) == 0 && written;
    if (written) return true;
    hd_bad_input(problem, "%s: %s", path, strerror(errno));
    unlink(path);
    return false;
}

static bool create(const char *name, const char *other, struct hd_problem *problem) {
    if (!is_new_name(name))
        return hd_usage(problem,
                        "policy new: '%s' is no name; expected letters, digits, _ or -",
                        name);
    if (!other)
        return hd_usage(problem,
                        "policy new: from which? expected --from NAME, such as "
                        "--from aegaeon");
    struct hd_script *from = load(other, problem);
    if (!from) return false;
    char *path = new_path(name);
    bool fine = write_new(path, name, from, problem);
    if (fine) {
        printf("%s\n", path);
        fprintf(stderr, "change it, then: hotdesk policy check %s\n", path);
    }
    free(path);
    hd_script_free(from);
    return fine;
}

/* ---- the command --------------------------------------------------------- */

static bool ask(unsigned which, const struct hd_args *args, bool *sound,
                struct hd_problem *problem) {
    int most = which == PLAIN ? 1 : 2;
    if (args->words > most)
        return hd_usage(problem, "policy: '%s' is one word too many", args->word[most]);
    if (which != PLAIN && args->words < 2)
        return hd_usage(problem, "policy %s: expected the name of a policy",
                        args->word[0]);
    if (which == NEW) return create(args->word[1], hd_args_get(args, "from"), problem);
    if (which == CHECK) return check(args->word[1], args, sound, problem);
    if (args->words == 0 || strcmp(args->word[0], "list") == 0) return list(problem);
    return show(args->word[0], problem);
}

int hd_command_policy(int argc, char **argv) {
    struct hd_problem problem = {0};
    struct hd_args args = {0};
    unsigned which = PLAIN;
    for (int n = 1; n < argc && which == PLAIN; n++) { /* the first that is no option */
        if (argv[n][0] == '-') continue;
        which = strcmp(argv[n], "new") == 0     ? NEW
                : strcmp(argv[n], "check") == 0 ? CHECK
                                                : PLAIN;
        break;
    }
    bool sound = true;
    if (hd_args_parse(options, OPTIONS, which, argc, argv, &args, &problem)) {
        if (args.help)
            hd_args_help(stdout, &help, options, OPTIONS, NEW | CHECK | PLAIN);
        else
            ask(which, &args, &sound, &problem);
    }
    hd_args_free(&args);
    if (problem.exit_code) return hd_problem_print(&problem);
    return sound ? HD_EXIT_OK : HD_EXIT_NO;
}
