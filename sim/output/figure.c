/* Runs gnuplot and sees to it that no broken picture stays. */
#include "output/figure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

enum { SECONDS_MAX = 60, NOT_STARTED = 127 };

/* In the child: only what is allowed between fork and exec of a program with
 * threads. */
_Noreturn static void become_gnuplot(const char *folder, const char *script, int talk) {
    char *const words[] = {"gnuplot", "-d", (char *)script, NULL};
    int none = open("/dev/null", O_RDWR);
    if (chdir(folder) == 0 && none >= 0 && dup2(none, 0) >= 0 && dup2(talk, 1) >= 0 &&
        dup2(talk, 2) >= 0) {
        alarm(SECONDS_MAX);
        execvp(words[0], words);
    }
    _exit(NOT_STARTED);
}

/* The first line of what gnuplot said that is more than a position marker. */
static void first_line(const char *said, char *line, size_t bytes) {
    line[0] = '\0';
    while (*said) {
        size_t length = strcspn(said, "\n");
        if (length && strspn(said, " \t^") < length) {
            snprintf(line, bytes, ": %.*s", (int)length, said);
            return;
        }
        said += length + (said[length] == '\n');
    }
}

static bool run_gnuplot(const char *folder, const char *script, struct hd_err *err) {
    int talk[2];
    if (pipe2(talk, O_CLOEXEC) != 0)
        return hd_fail(err, "gnuplot: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0) become_gnuplot(folder, script, talk[1]);
    int why = errno;
    close(talk[1]);
    if (child < 0) {
        close(talk[0]);
        return hd_fail(err, "gnuplot: %s", strerror(why));
    }
    char said[2048], rest[512], line[256];
    size_t used = 0;
    for (;;) {
        bool room = used < sizeof said - 1;
        ssize_t got = room ? read(talk[0], said + used, sizeof said - 1 - used)
                           : read(talk[0], rest, sizeof rest);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (room) used += (size_t)got;
    }
    said[used] = '\0';
    close(talk[0]);
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return hd_fail(err, "gnuplot: %s", strerror(errno));
    first_line(said, line, sizeof line);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED)
        return hd_fail(err, "gnuplot: cannot be run; install gnuplot-nox for figures");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return hd_fail(err, "gnuplot: not done after %d s, ended", SECONDS_MAX);
    return hd_fail(err, "gnuplot: failed%s", line);
}

/* cairo writes the time of day into a PDF; the same figure shall be the same
 * bytes. Offsets inside the file stay, since the new date is as long. */
static bool undate_pdf(const char *path, struct hd_err *err) {
    static const char mark[] = "/CreationDate (D:";
    static const char date[] = "20000101000000Z";
    FILE *file = fopen(path, "r+b");
    if (!file) return hd_fail(err, "%s: %s", path, strerror(errno));
    struct stat is;
    char *bytes = NULL;
    bool ok = fstat(fileno(file), &is) == 0;
    if (ok) {
        size_t size = (size_t)is.st_size;
        bytes = hd_alloc(size + 1);
        ok = fread(bytes, 1, size, file) == size;
        char *at = ok ? memmem(bytes, size, mark, sizeof mark - 1) : NULL;
        if (at && (size_t)(bytes + size - at) > sizeof mark + sizeof date) {
            ok = fseek(file, at - bytes + (long)sizeof mark - 1, SEEK_SET) == 0 &&
                 fwrite(date, 1, sizeof date - 1, file) == sizeof date - 1;
        }
    }
    free(bytes);
    ok = fclose(file) == 0 && ok;
    return ok || hd_fail(err, "%s: %s", path, strerror(errno));
}

static bool whole(const char *path, struct hd_err *err) {
    struct stat is;
    if (stat(path, &is) != 0 || is.st_size == 0)
        return hd_fail(err, "gnuplot: ended well but drew no %s",
                       strrchr(path, '/') + 1);
    const char *dot = strrchr(path, '.');
    return !dot || strcmp(dot, ".pdf") != 0 || undate_pdf(path, err);
}

bool hd_figure_draw(const char *folder, const char *script, const char *const *file,
                    int count, struct hd_err *err) {
    bool ok = run_gnuplot(folder, script, err);
    for (int i = 0; i < count && ok; i++) {
        char *path = hd_format("%s/%s", folder, file[i]);
        ok = whole(path, err);
        free(path);
    }
    for (int i = 0; i < count && !ok; i++) {
        char *path = hd_format("%s/%s", folder, file[i]);
        remove(path);
        free(path);
    }
    return ok;
}

void hd_figure_quote(FILE *f, const char *text) {
    putc('\'', f);
    for (; *text; text++) {
        if (*text == '\'') putc('\'', f);
        putc((unsigned char)*text < 0x20 ? '?' : *text, f);
    }
    putc('\'', f);
}
