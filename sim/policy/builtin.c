/* Reference policies in C: fixed replicas of each model, three ways to choose one. */
#include "policy/builtin.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct queue { /* a ring of requests, in order of arrival */
    struct hd_req *request;
    int first, count, capacity;
};

struct place { /* of one model: where its requests may go */
    int *instance;
    int instances, capacity, next;
    struct queue queue;
};

struct builtin {
    struct hd_policy policy;
    int replicas, slots, role;
    struct place *place; /* per model */
    int models;
    char reason[160];
};

/* ---- the queue of HD_BUILTIN_CENTRAL ------------------------------------- */

static void push(struct queue *q, struct hd_req request) {
    if (q->count == q->capacity) {
        int capacity = q->capacity ? 2 * q->capacity : 16;
        struct hd_req *larger = hd_alloc(sizeof *larger * (size_t)capacity);
        for (int n = 0; n < q->count; n++)
            larger[n] = q->request[(q->first + n) % q->capacity];
        free(q->request);
        *q = (struct queue){larger, 0, q->count, capacity};
    }
    q->request[(q->first + q->count++) % q->capacity] = request;
}

static struct hd_req pop(struct queue *q) {
    struct hd_req first = q->request[q->first];
    q->first = (q->first + 1) % q->capacity;
    q->count--;
    return first;
}

/* ---- layout -------------------------------------------------------------- */

static void forget_places(struct builtin *b) {
    for (int m = 0; m < b->models; m++) {
        free(b->place[m].instance);
        free(b->place[m].queue.request);
    }
    free(b->place);
    b->place = NULL;
    b->models = 0;
}

static void note_instances(struct builtin *b, struct hd_engine *e, int model) {
    struct place *p = &b->place[model];
    const int *each;
    p->instances = hd_ask_each(e, b->role, (struct hd_filter){model, HD_NO_REQ}, &each);
    p->instance = hd_grow(p->instance, &p->capacity, p->instances, sizeof *p->instance);
    for (int n = 0; n < p->instances; n++) p->instance[n] = each[n];
}

/* Forms what is missing. The model that ran out of GPUs, -1: none, -2: an error. */
static int lay_out(struct builtin *b, struct hd_engine *e) {
    int short_of = -1;
    for (int m = 0; m < b->models; m++) {
        struct hd_model_view model = hd_ask_model(e, m);
        int want = b->replicas > 0 ? b->replicas : model.replicas;
        struct hd_form form = {
            .role = "serve", .gpus = model.tp, .type = model.gpu, .node = -1};
        int have = hd_ask_count(e, b->role, (struct hd_filter){m, HD_NO_REQ});
        for (; have < want && short_of == -1; have++) {
            int instance = hd_act_form(e, &form);
            if (instance == -2) return -2;
            int loads = instance < 0 ? 0 : hd_act_load(e, instance, m);
            if (loads < 0) return -2;
            if (loads == 0) short_of = m;
        }
        note_instances(b, e, m);
    }
    return short_of;
}

static bool start(void *state, struct hd_engine *e, const char **reason) {
    struct builtin *b = state;
    forget_places(b);
    b->models = hd_ask_models(e);
    b->place = hd_alloc(sizeof *b->place * (size_t)b->models);
    b->role = hd_ask_role(e, "serve");
    int short_of = lay_out(b, e);
    if (short_of >= 0) {
        snprintf(b->reason, sizeof b->reason, "no room for a replica of %s",
                 hd_ask_model(e, short_of).name);
        *reason = b->reason;
    }
    return short_of != -2;
}

/* GPUs are back: `arrive` follows for whoever is held. */
static bool fleet(void *state, struct hd_engine *e, enum hd_fleet_event event,
                  const int *gpus, int count) {
    struct builtin *b = state;
    (void)gpus;
    (void)count;
    if (event != HD_FLEET_DOWN) return lay_out(b, e) != -2;
    for (int m = 0; m < b->models; m++) note_instances(b, e, m);
    return true;
}

/* ---- where a request goes; without an instance it stays held ------------- */

static int least(struct builtin *b, struct hd_engine *e, int model) {
    return hd_ask_least(e, b->role, HD_KEY_REQUESTS,
                        (struct hd_filter){model, HD_NO_REQ});
}

static bool dedicated(void *state, struct hd_engine *e, struct hd_req request) {
    int instance = least(state, e, hd_ask_request_model(e, request));
    return instance < 0 || hd_act_join_instance(e, request, instance, HD_KV_PULL);
}

static bool round_robin(void *state, struct hd_engine *e, struct hd_req request) {
    struct builtin *b = state;
    struct place *p = &b->place[hd_ask_request_model(e, request)];
    if (p->instances == 0) return true;
    if (p->next >= p->instances) p->next = 0;
    return hd_act_join_instance(e, request, p->instance[p->next++], HD_KV_PULL);
}

/* Hands out the queue's head while an instance has a slot. */
static bool hand_out(struct builtin *b, struct hd_engine *e, int model) {
    struct queue *q = &b->place[model].queue;
    while (q->count) {
        int instance = least(b, e, model);
        if (instance < 0 || hd_ask_instance(e, instance).requests >= b->slots) break;
        struct hd_req request = pop(q);
        if (!hd_ask_request_known(e, request) ||
            hd_ask_request_state(e, request) != HD_REQ_HELD)
            continue; /* it lost its patience, or came twice after a failure */
        if (!hd_act_join_instance(e, request, instance, HD_KV_PULL)) return false;
    }
    return true;
}

static bool central(void *state, struct hd_engine *e, struct hd_req request) {
    struct builtin *b = state;
    int model = hd_ask_request_model(e, request);
    push(&b->place[model].queue, request);
    return hand_out(b, e, model);
}

static bool central_done(void *state, struct hd_engine *e, struct hd_req request) {
    return hand_out(state, e, hd_ask_request_model(e, request));
}

/* ---- doors --------------------------------------------------------------- */

struct hd_policy *hd_builtin_new(enum hd_builtin which, int replicas, int slots) {
    static const struct {
        const char *name, *about;
        bool (*arrive)(void *, struct hd_engine *, struct hd_req);
        bool (*done)(void *, struct hd_engine *, struct hd_req);
    } kind[] = {
        [HD_BUILTIN_DEDICATED] = {"dedicated", "fixed replicas, the least requests",
                                  dedicated, NULL},
        [HD_BUILTIN_ROUND_ROBIN] = {"round_robin", "fixed replicas in turn",
                                    round_robin, NULL},
        [HD_BUILTIN_CENTRAL] = {"central", "fixed replicas behind one queue", central,
                                central_done},
    };
    struct builtin *b = hd_alloc(sizeof *b);
    b->replicas = replicas;
    b->slots = slots;
    b->policy = (struct hd_policy){.name = kind[which].name,
                                   .about = kind[which].about,
                                   .state = b,
                                   .start = start,
                                   .arrive = kind[which].arrive,
                                   .done = kind[which].done,
                                   .fleet = fleet};
    return &b->policy;
}

void hd_builtin_free(struct hd_policy *policy) {
    if (!policy) return;
    forget_places(policy->state);
    free(policy->state);
}
