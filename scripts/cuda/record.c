/* The schema of README.md, written. */
#include "record.h"

#include <stdio.h>

#define SOURCE "hotdesk-bench"
#define LICENCE "MIT"

struct shape shape_of(const char *op, const char *variant, const char *dtype) {
    return (struct shape){op, variant, dtype, -1, -1, -1, -1, -1,
                          -1, -1,      -1,    -1, -1, -1, -1, -1};
}

const char *record_header(void) {
    return "gpu,op,variant,dtype,m,n,k,batch,chunk,prefix,context,heads,kv_heads,"
           "head_dim,gpus,bytes,count,time_us,mad_us,samples,stop,sm_mhz,memory_mhz,"
           "driver,source,licence";
}

/* Text that is built up as snprintf does it: never beyond its end, counted in full. */
struct line {
    char *text;
    size_t bytes, length;
};

static char *rest(struct line *line) {
    return line->length < line->bytes ? line->text + line->length : NULL;
}

static size_t room(const struct line *line) {
    return line->length < line->bytes ? line->bytes - line->length : 0;
}

static void add_number(struct line *line, long number) {
    int length = number < 0 ? snprintf(rest(line), room(line), ",")
                            : snprintf(rest(line), room(line), ",%ld", number);
    line->length += (size_t)length;
}

static void add_key(struct line *line, const char *gpu, const struct shape *s) {
    line->length += (size_t)snprintf(rest(line), room(line), "%s,%s,%s,%s", gpu, s->op,
                                     s->variant, s->dtype);
    const long numbers[] = {s->m,      s->n,       s->k,     s->batch,    s->chunk,
                            s->prefix, s->context, s->heads, s->kv_heads, s->head_dim,
                            s->gpus,   s->bytes,   s->count};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        add_number(line, numbers[i]);
}

size_t record_key(char *text, size_t bytes, const char *gpu, const struct shape *s) {
    struct line line = {text, bytes, 0};
    add_key(&line, gpu, s);
    return line.length;
}

size_t record_row(char *text, size_t bytes, const struct record *r) {
    static const char *const stops[] = {"stdrel", "entropy", "budget", "fixed"};
    struct line line = {text, bytes, 0};
    add_key(&line, r->gpu, &r->shape);
    line.length += (size_t)snprintf(rest(&line), room(&line), ",%.4f,%.4f,%ld,%s",
                                    r->time_us, r->mad_us, r->samples, stops[r->stop]);
    add_number(&line, r->sm_mhz > 0 ? r->sm_mhz : -1);
    add_number(&line, r->memory_mhz > 0 ? r->memory_mhz : -1);
    line.length += (size_t)snprintf(rest(&line), room(&line),
                                    ",%s," SOURCE "," LICENCE "\n", r->driver);
    return line.length;
}
