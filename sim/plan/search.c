/* Bracket, bisect, confirm: the search for the fewest GPUs. */
#include "plan/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void hd_search_add(struct hd_search *s, struct hd_verdict v) {
    int at = s->verdicts;
    while (at > 0 && s->verdict[at - 1].n > v.n) at--;
    if (at > 0 && s->verdict[at - 1].n == v.n) {
        struct hd_verdict *old = &s->verdict[at - 1];
        old->passes |= v.passes & v.known & ~old->known;
        old->known |= v.known;
        return;
    }
    s->verdict = hd_grow(s->verdict, &s->capacity, s->verdicts + 1, sizeof *s->verdict);
    memmove(s->verdict + at + 1, s->verdict + at,
            sizeof *s->verdict * (size_t)(s->verdicts - at));
    s->verdict[at] = v;
    s->verdicts++;
}

struct hd_search hd_search_copy(const struct hd_search *s) {
    struct hd_search copy = *s;
    copy.capacity = s->verdicts;
    copy.verdict = NULL;
    if (s->verdicts) {
        copy.verdict = hd_alloc(sizeof *copy.verdict * (size_t)s->verdicts);
        memcpy(copy.verdict, s->verdict, sizeof *copy.verdict * (size_t)s->verdicts);
    }
    return copy;
}

void hd_search_free(struct hd_search *s) {
    free(s->verdict);
    s->verdict = NULL;
    s->verdicts = s->capacity = 0;
}

/* 1: passes, 0: fails, -1: to be probed. */
static int verdict_at(const struct hd_search *s, int criterion, int n) {
    int low = 0, high = s->verdicts;
    while (low < high) {
        int middle = (low + high) / 2;
        if (s->verdict[middle].n < n)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == s->verdicts || s->verdict[low].n != n) return -1;
    const struct hd_verdict *v = &s->verdict[low];
    if (!(v->known >> criterion & 1)) return -1;
    return (int)(v->passes >> criterion & 1);
}

/* One criterion's search, played again over the verdicts there are: everything up to
 * lo is given up, hi (0: none yet) passed. */
struct seek {
    const struct hd_search *s;
    int criterion, lo, hi;
};

/* Up from n in growing steps to the first that passes; hi stays 0 when none up to
 * `most` does. Returns the number to probe, 0 when done. */
static int climb(struct seek *k, int n, int step) {
    int most = k->s->most;
    for (;; step = step < most ? 2 * step : step) {
        int verdict = verdict_at(k->s, k->criterion, n);
        if (verdict < 0) return n;
        if (verdict) {
            k->hi = n;
            return 0;
        }
        k->lo = n;
        if (n == most) return 0;
        n = most - n > step ? n + step : most;
    }
}

/* Down from hi in growing steps to one that fails. */
static int descend(struct seek *k, int step) {
    for (; k->hi - k->lo > 1; step *= 2) {
        int n = k->hi - k->lo > step ? k->hi - step : k->lo + 1;
        int verdict = verdict_at(k->s, k->criterion, n);
        if (verdict < 0) return n;
        if (!verdict) {
            k->lo = n;
            return 0;
        }
        k->hi = n;
    }
    return 0;
}

/* Closes in on hi = lo + 1. A number that passes is a whole run, one that fails is
 * stopped early; whatever passes within `above` of the answer is run anyhow. So where
 * that is near, it asks for the least number that leaves hi within. */
static int bisect(struct seek *k) {
    while (k->hi - k->lo > 1) {
        int gap = k->hi - k->lo, near = k->s->above + 1;
        int n = k->lo + (gap > near && gap <= 2 * near ? gap - near : gap / 2);
        int verdict = verdict_at(k->s, k->criterion, n);
        if (verdict < 0) return n;
        if (verdict)
            k->hi = n;
        else
            k->lo = n;
    }
    return 0;
}

/* The first of hi + 1 to hi + above that fails or is to be probed, with its verdict;
 * verdict 1: all pass. */
static int confirm(const struct seek *k, int *verdict) {
    for (int n = k->hi + 1; n <= k->hi + k->s->above; n++) {
        *verdict = verdict_at(k->s, k->criterion, n);
        if (*verdict != 1) return n;
    }
    *verdict = 1;
    return 0;
}

/* The next number to probe, or 0 and what was found. */
static int seek(const struct hd_search *s, int criterion, struct hd_found *found) {
    struct seek k = {s, criterion, s->least - 1, 0};
    int first = s->first, step = s->step;
    *found = (struct hd_found){0};
    while (k.lo < s->most) {
        int n = climb(&k, first, step);
        if (!n && k.hi && k.lo < s->least) n = descend(&k, step);
        if (!n && k.hi) n = bisect(&k);
        if (n) return n;
        if (!k.hi) break;
        int verdict, at = confirm(&k, &verdict);
        if (verdict < 0) return at;
        if (verdict) {
            *found = (struct hd_found){true, true, k.hi};
            return 0;
        }
        k.lo = at; /* and whatever passed below it does not count */
        k.hi = 0;
        first = at + 1;
        step = 1;
    }
    *found = (struct hd_found){true, false, 0};
    return 0;
}

int hd_search_next(const struct hd_search *s, uint32_t *open, struct hd_found *found) {
    struct hd_found unused;
    for (int c = 0; found && c < s->criteria; c++) found[c] = (struct hd_found){0};
    *open = 0;
    for (int c = 0; c < s->criteria; c++) {
        int n = seek(s, c, found ? &found[c] : &unused);
        if (!n) continue;
        uint32_t all = s->criteria == 32 ? UINT32_MAX : (1u << s->criteria) - 1;
        *open = all & ~((1u << c) - 1);
        return n;
    }
    return 0;
}

int hd_search_dips(const struct hd_search *s, int criterion, int *out, int room) {
    bool passed = false;
    int count = 0;
    for (int i = 0; i < s->verdicts; i++) {
        int verdict = verdict_at(s, criterion, s->verdict[i].n);
        if (verdict == 1) passed = true;
        if (verdict != 0 || !passed) continue;
        if (count < room) out[count] = s->verdict[i].n;
        count++;
    }
    return count;
}
