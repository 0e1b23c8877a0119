/* Reading options and printing what there is to give. */
#include "command/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct hd_option *find(const struct hd_option *table, int options,
                                    unsigned command, const char *name, size_t length) {
    for (int i = 0; i < options; i++) {
        const struct hd_option *o = &table[i];
        if (o->name && (o->commands & command) && strlen(o->name) == length &&
            strncmp(o->name, name, length) == 0)
            return o;
    }
    return NULL;
}

static bool unknown(const struct hd_option *table, int options, unsigned command,
                    const char *who, const char *name, struct hd_problem *problem) {
    const char **names = hd_alloc(sizeof *names * (size_t)(options + 1));
    int count = 0;
    for (int i = 0; i < options; i++)
        if (table[i].name && (table[i].commands & command))
            names[count++] = table[i].name;
    names[count++] = "help";
    const char *near = hd_nearest(name, names, count);
    free(names);
    if (near)
        hd_usage(problem, "--%s: no such option; the nearest is --%s", name, near);
    else
        hd_usage(problem, "--%s: no such option of %s; `hotdesk %s --help` lists them",
                 name, who, who);
    return false;
}

static bool take(struct hd_args *args, const struct hd_option *option,
                 const char *value, struct hd_problem *problem) {
    for (int i = 0; i < args->count && !option->repeats; i++)
        if (args->given[i].option == option)
            return hd_usage(problem, "--%s: given twice; once is enough", option->name);
    args->given =
        hd_grow(args->given, &args->capacity, args->count + 1, sizeof *args->given);
    args->given[args->count++] = (struct hd_given){option, value};
    return true;
}

bool hd_args_parse(const struct hd_option *table, int options, unsigned command,
                   int argc, char **argv, struct hd_args *args,
                   struct hd_problem *problem) {
    *args = (struct hd_args){0};
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            args->help = true;
    if (args->help) return true;
    bool open = true;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (open && strcmp(word, "--") == 0) {
            open = false;
            continue;
        }
        if (!open || word[0] != '-' || word[1] == '\0') {
            args->word = hd_grow(args->word, &args->words_capacity, args->words + 1,
                                 sizeof *args->word);
            args->word[args->words++] = word;
            continue;
        }
        if (word[1] != '-')
            return hd_usage(problem, "%s: no such option; options begin with --", word);
        const char *name = word + 2, *equals = strchr(name, '=');
        size_t length = equals ? (size_t)(equals - name) : strlen(name);
        const struct hd_option *option = find(table, options, command, name, length);
        if (!option) {
            char *alone = hd_format("%.*s", (int)length, name);
            unknown(table, options, command, argv[0], alone, problem);
            free(alone);
            return false;
        }
        const char *value = "";
        if (option->value) {
            if (equals)
                value = equals + 1;
            else if (i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0)
                value = argv[++i];
            else
                return hd_usage(problem, "--%s: needs a value: --%s %s", option->name,
                                option->name, option->value);
            if (value[0] == '\0')
                return hd_usage(problem, "--%s: the value is empty; expected %s",
                                option->name, option->value);
        } else if (equals) {
            return hd_usage(problem, "--%s: takes no value, got '%s'", option->name,
                            equals + 1);
        }
        if (!take(args, option, value, problem)) return false;
    }
    return true;
}

void hd_args_free(struct hd_args *args) {
    free(args->given);
    free(args->word);
    *args = (struct hd_args){0};
}

const char *hd_args_get(const struct hd_args *args, const char *name) {
    for (int i = args->count - 1; i >= 0; i--)
        if (strcmp(args->given[i].option->name, name) == 0) return args->given[i].value;
    return NULL;
}

/* ---- help ---------------------------------------------------------------- */

enum { LEFT = 30, WIDTH = 88 }; /* columns: where help texts begin, and end */

/* Prints words from column `at`, wrapped at WIDTH, further lines from LEFT. */
static void wrap(FILE *out, const char *text, int at) {
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (at > LEFT && at + 1 + length > WIDTH) {
            fprintf(out, "\n%*s", LEFT, "");
            at = LEFT;
        } else if (at > LEFT) {
            fputc(' ', out);
            at++;
        }
        fwrite(text, 1, (size_t)length, out);
        at += length;
        text += length;
        while (*text == ' ') text++;
    }
    fputc('\n', out);
}

void hd_args_help(FILE *out, const struct hd_help *help, const struct hd_option *table,
                  int options, unsigned command) {
    static const char *const heading[HD_GROUPS] = {
        "what", "when", "judged how", "served how", "run how", "written where",
    };
    fprintf(out, "usage: %s\n\n%s\n\nexamples:\n  %s\n  %s\n", help->usage, help->does,
            help->example[0], help->example[1]);
    for (int g = 0; g < HD_GROUPS; g++) {
        bool first = true;
        for (int i = 0; i < options; i++) {
            const struct hd_option *o = &table[i];
            if (!o->name || (int)o->group != g || !(o->commands & command)) continue;
            if (first) fprintf(out, "\n%s:\n", heading[g]);
            first = false;
            int at = fprintf(out, "  --%s%s%s", o->name, o->value ? " " : "",
                             o->value ? o->value : "");
            if (at >= LEFT - 1)
                fprintf(out, "\n%*s", LEFT, "");
            else
                fprintf(out, "%*s", LEFT - at, "");
            char *text =
                hd_format("%s%s%s%s%s", o->help, o->fallback ? " [" : "",
                          o->fallback ? o->fallback : "", o->fallback ? "]" : "",
                          o->repeats ? " (repeatable)" : "");
            wrap(out, text, LEFT);
            free(text);
        }
    }
}
