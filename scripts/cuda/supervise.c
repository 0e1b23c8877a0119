/* One child at a time, in a process group of its own. */
#include "supervise.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "session.h"

#define LOOK_EVERY_S 0.02
#define GRACE_S 5.0     /* between asking it to end and ending it */
#define PATIENCE_S 30.0 /* a process in a driver's call ends only after that */

static volatile sig_atomic_t wished; /* signal handlers get no argument of ours */

static void note(int signal_number) {
    wished = signal_number;
}

/* Waits at most `limit_s` for it. */
static bool ended(pid_t child, double limit_s, int *status) {
    double until = now_s() + limit_s;
    const struct timespec pause = {0, (long)(LOOK_EVERY_S * 1e9)};
    for (;;) {
        pid_t got = waitpid(child, status, WNOHANG);
        if (got == child) return true;
        if (got < 0 || now_s() >= until || wished) return false;
        nanosleep(&pause, NULL);
    }
}

static void run_child(void (*work)(void *), void *argument, pid_t parent) {
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    work(argument);
    exit(0);
}

/* Ends the whole group: what the child has started outlives it otherwise. */
static bool stop(pid_t child, int *status) {
    wished = 0;
    kill(-child, SIGTERM);
    bool gone = ended(child, GRACE_S, status);
    kill(-child, SIGKILL);
    return gone || ended(child, PATIENCE_S, status);
}

struct outcome supervise(void (*work)(void *), void *argument, double limit_s) {
    struct outcome outcome = {0};
    struct sigaction action = {.sa_handler = note}, old_int, old_term;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &old_int);
    sigaction(SIGTERM, &action, &old_term);
    double start = now_s();
    int status = 0;
    fflush(NULL);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        setpgid(0, 0);
        run_child(work, argument, parent);
    }
    if (child > 0) {
        setpgid(child, child); /* whoever of the two comes first */
        outcome.ended = ended(child, limit_s, &status);
        if (!outcome.ended) {
            outcome.interrupted = wished != 0;
            outcome.timed_out = !outcome.interrupted;
            outcome.ended = stop(child, &status);
        } else {
            kill(-child, SIGKILL); /* children that it left */
        }
    }
    wished = 0;
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    outcome.seconds = now_s() - start;
    if (outcome.ended && WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
    if (outcome.ended && WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
    return outcome;
}

void outcome_text(const struct outcome *o, char *text, size_t bytes) {
    text[0] = '\0';
    if (o->interrupted)
        snprintf(text, bytes, "interrupted");
    else if (o->timed_out)
        snprintf(text, bytes, "stopped after %.0f s%s", o->seconds,
                 o->ended ? "" : ", and it does not end");
    else if (!o->ended)
        snprintf(text, bytes, "no process could be started for it");
    else if (o->signal)
        snprintf(text, bytes, "ended by signal %d (%s)", o->signal,
                 strsignal(o->signal));
    else if (o->status)
        snprintf(text, bytes, "exit status %d", o->status);
}

void *shared_memory(size_t bytes) {
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) return memory;
    perror("hotdesk-bench");
    exit(1);
}
