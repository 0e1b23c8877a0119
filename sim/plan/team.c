/* A team of POSIX threads around one lock. */
#include "plan/team.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"

struct team {
    const struct hd_work *work;
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int out; /* pieces being done */
    bool stop;
};

static void *member(void *argument) {
    struct team *t = argument;
    pthread_mutex_lock(&t->lock);
    for (;;) {
        void *piece = t->stop ? NULL : t->work->take(t->context);
        if (!piece) {
            if (t->stop || t->out == 0) break;
            pthread_cond_wait(&t->changed, &t->lock);
            continue;
        }
        t->out++;
        pthread_mutex_unlock(&t->lock);
        t->work->perform(t->context, piece);
        pthread_mutex_lock(&t->lock);
        t->out--;
        if (!t->work->give_back(t->context, piece)) t->stop = true;
        pthread_cond_broadcast(&t->changed);
    }
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

void hd_team_run(int threads, const struct hd_work *work, void *context) {
    struct team t = {.work = work, .context = context};
    pthread_mutex_init(&t.lock, NULL);
    pthread_cond_init(&t.changed, NULL);
    int others = threads > 1 ? threads - 1 : 0, started = 0;
    pthread_t *thread = hd_alloc(sizeof *thread * (size_t)(others + 1));
    /* Signals are for the thread that set up their handlers. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started < others && pthread_create(&thread[started], NULL, member, &t) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    member(&t);
    for (int n = 0; n < started; n++) pthread_join(thread[n], NULL);
    free(thread);
    pthread_cond_destroy(&t.changed);
    pthread_mutex_destroy(&t.lock);
}
