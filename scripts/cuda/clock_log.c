/* A line each second. */
#include "clock_log.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "session.h"

enum { EVERY_S = 1 };

struct clock_log {
    pid_t process;
};

static const struct {
    long long bit;
    const char *name;
} reasons[] = {{NVML_REASON_IDLE, "idle"},
               {NVML_REASON_APPLICATION, "clocks_set"},
               {NVML_REASON_POWER_CAP, "power_cap"},
               {NVML_REASON_HARDWARE, "hardware"},
               {NVML_REASON_SYNC_BOOST, "sync_boost"},
               {NVML_REASON_SOFT_THERMAL, "thermal"},
               {NVML_REASON_HARD_THERMAL, "hardware_thermal"},
               {NVML_REASON_POWER_BRAKE, "power_brake"}};

void clock_log_header(FILE *out) {
    fputs("time_s,sm_mhz,memory_mhz,power_w,power_limit_w,temperature_c,held_by\n",
          out);
}

static void add_number(FILE *out, double number) {
    if (number < 0)
        fputc(',', out);
    else
        fprintf(out, ",%.0f", number);
}

void clock_log_reasons(FILE *out, long long bits) {
    const char *between = "";
    for (size_t i = 0; bits > 0 && i < sizeof reasons / sizeof *reasons; i++) {
        if (!(bits & reasons[i].bit)) continue;
        fprintf(out, "%s%s", between, reasons[i].name);
        between = "+";
    }
}

void clock_log_line(FILE *out, double time_s, const struct nvml_state *s) {
    fprintf(out, "%.1f", time_s);
    add_number(out, s->sm_mhz);
    add_number(out, s->memory_mhz);
    add_number(out, s->power_w);
    add_number(out, s->power_limit_w);
    add_number(out, s->temperature_c);
    fputc(',', out);
    clock_log_reasons(out, s->reasons);
    fputc('\n', out);
}

static void write_on(FILE *out, const struct nvml *nvml) {
    double start = now_s();
    if (fseek(out, 0, SEEK_END) == 0 && ftell(out) == 0) clock_log_header(out);
    for (;;) {
        struct nvml_state state = nvml_read(nvml);
        clock_log_line(out, now_s() - start, &state);
        if (fflush(out) != 0) _exit(1);
        sleep(EVERY_S);
    }
}

struct clock_log *clock_log_begin(const char *path, const char *bus_id) {
    FILE *out = fopen(path, "ae");
    if (!out) {
        fprintf(stderr, "%s: %s: no log of clocks\n", path, strerror(errno));
        return NULL;
    }
    fflush(NULL);
    pid_t parent = getpid(), process = fork();
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct nvml *nvml = nvml_open(bus_id);
        if (getppid() != parent) _exit(1);
        write_on(out, nvml);
    }
    fclose(out);
    if (process < 0) {
        perror("hotdesk-bench: no log of clocks");
        return NULL;
    }
    struct clock_log *log = hd_alloc(sizeof *log);
    log->process = process;
    return log;
}

void clock_log_end(struct clock_log *log) {
    if (!log) return;
    kill(log->process, SIGKILL);
    waitpid(log->process, NULL, 0);
    free(log);
}
