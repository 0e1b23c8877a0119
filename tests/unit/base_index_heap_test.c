/* The indexed heap against a plain scan: set, move, remove, take, in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/index_heap.h"
#include "unit/scenario_policy.h"

enum { IDS = 20 };

static int least_by_scan(const int64_t *key) {
    int least = -1;
    for (int id = 0; id < IDS; id++)
        if (key[id] >= 0 && (least < 0 || key[id] < key[least])) least = id;
    return least;
}

static void equals_a_scan(void **state) {
    (void)state;
    uint64_t seed = 3;
    for (int run = 0; run < 2000; run++) {
        struct hd_index_heap h = {0};
        hd_heap_reserve(&h, IDS);
        int64_t key[IDS]; /* -1: absent */
        for (int id = 0; id < IDS; id++) key[id] = -1;
        for (int n = 0; n < 100; n++) {
            int id = (int)draw_below(&seed, IDS), least = least_by_scan(key);
            switch (draw_below(&seed, 5)) {
            case 0:
                hd_heap_remove(&h, id);
                key[id] = -1;
                break;
            case 1:
                if (least < 0) break;
                assert_int_equal(hd_heap_take(&h), least);
                key[least] = -1;
                break;
            default: /* few keys: they tie */
                key[id] = (int64_t)draw_below(&seed, 6);
                hd_heap_set(&h, id, key[id]);
            }
            for (int k = 0; k < IDS; k++)
                assert_int_equal(hd_heap_has(&h, k), key[k] >= 0);
            const struct hd_heap_node *first = hd_heap_first(&h);
            least = least_by_scan(key);
            if (least < 0) {
                assert_null(first);
            } else {
                assert_int_equal(first->id, least);
                assert_int_equal(first->key, key[least]);
            }
        }
        hd_heap_free(&h);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_a_scan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
