#!/bin/bash
# Puts mistakes into the engine on purpose, one at a time, and says after how many
# random worlds each is noticed. A mistake that nothing notices fails the script: then
# the tests have become too weak. `tests/mutations.sh WORD` tries those named so.
set -u
cd "$(dirname "$0")/.." || exit 1
only=${1:-}
worlds=${HD_MUTANT_SCENARIOS:-3000}
cc=${CC:-gcc}
flags=(-O1 -std=c17 -D_GNU_SOURCE -Isim -Itests -pthread -DHD_CHECKED -w)
libs=(-lcmocka -lgsl -lgslcblas -lm)
room=build/mutant
survived=0 tried=0

# The programs that judge, from the sources in $room.
compile() {
    (cd "$room" && mkdir -p o && for s in "$@"; do
        echo "$s"
    done | xargs -P "$(nproc)" -I{} sh -c \
        "$cc ${flags[*]} -c -o o/\$(echo {} | tr / _).o {}") || return 1
    (cd "$room" &&
        for t in twin forms orders rules sharing; do
            others=$(ls o/*.o | grep -v '_test\.c\.o')
            $cc ${flags[*]} -o $t $others "o/tests_unit_engine_${t}_test.c.o" "${libs[@]}" ||
                exit 1
        done)
}
sources() {
    (cd "$room" && ls sim/engine/*.c sim/measure/*.c sim/timing/table.c sim/timing/surface.c \
        sim/timing/contention.c sim/base/mem.c \
        sim/base/err.c sim/base/utf8.c tests/unit/scenario*.c tests/unit/small_house.c \
        tests/unit/engine_*_test.c)
}

rm -rf "$room"
mkdir -p "$room/clean"
cp -r sim tests "$room" # to be spoilt
cp -r sim tests "$room/clean"
compile $(sources) || exit 1

# name, file, what is there, what stands there instead: fixed strings, first place
mutant() {
    local name=$1 file=$2 from=$3 to=$4 said worlds_needed other=""
    [[ $name == *"$only"* ]] || return
    tried=$((tried + 1))
    FROM=$from TO=$to perl -0pe 's/\Q$ENV{FROM}\E/$ENV{TO}/' "$room/clean/$file" \
        >"$room/$file"
    if cmp -s "$room/clean/$file" "$room/$file"; then
        echo "STALE     $name: $file has changed, mend this script"
        survived=$((survived + 1))
        return
    fi
    local again=$file
    [[ $file == *.h ]] && again=$(sources)
    if ! compile $again 2>"$room/errors"; then
        echo "BROKEN    $name: does not compile: $(head -1 "$room/errors")"
        survived=$((survived + 1))
    else
        said=$(cd "$room" && HD_STOP=1 timeout $((60 + worlds / 20)) ./twin "$worlds" 2>&1)
        case $? in
        0) worlds_needed="-" ;;
        124) worlds_needed="a hang" ;;
        *) worlds_needed=$(grep -ao '^seed [0-9]*' <<<"$said" | head -1 | cut -d' ' -f2) ;;
        esac
        for t in forms orders rules sharing; do
            (cd "$room" && timeout 60 ./$t) >/dev/null 2>&1 || other+=" $t"
        done
        if [ "$worlds_needed" = "-" ] && [ -z "$other" ]; then
            echo "SURVIVED  $name"
            survived=$((survived + 1))
        else
            printf 'caught    %-58s worlds %-7s%s\n' "$name" "$worlds_needed" "$other"
        fi
    fi
    cp "$room/clean/$file" "$room/$file"
    compile $again 2>/dev/null
}

e=sim/engine
mutant "ties broken by insertion, not by number" sim/base/index_heap.h \
    "(a.key < b.key) | ((a.key == b.key) & (a.id < b.id))" "a.key < b.key"
mutant "a boundary at this instant has not happened yet" $e/batch.c \
    "hd_batch_time(b, k) <= x ? k" "hd_batch_time(b, k) < x ? k"
mutant "a plan made at this instant is cut before its start" $e/turns.c \
    "hd_instance_number(e, i) < e->planned) x++;" "0) x++;"
mutant "simultaneous finishers in any order" $e/batch.c \
    "(a->order < b->order)" "(a->order > b->order)"
mutant "first gap after a stall ignored" $e/batch.c \
    "hd_tick gap = first - b->last_at;" "hd_tick gap = b->tau;"
mutant "first gap of a joiner taken for the others'" $e/batch.c \
    "hd_tick gap = first - r->last_token;" "hd_tick gap = first - b->last_at;"
mutant "preempted before its first step stays fresh" $e/batch.c \
    "if (b->fresh[f] != m->slot) continue;" "if (b->fresh[f] != -9) continue;"
mutant "longest gap: the first is counted twice" $e/batch.c \
    "r->peak_after = b->step + 1;" "r->peak_after = b->step;"
mutant "residue of the length, not of length - step" $e/batch.c \
    "b->residue[(context - b->step) & (HD_BLOCK_TOKENS - 1)]++;" \
    "b->residue[context & (HD_BLOCK_TOKENS - 1)]++;"
mutant "inverse late by one at a boundary" $e/batch.c \
    "k = (x + b->tau - 1) / b->tau;" "k = x / b->tau + 1;"
mutant "inverse early by one" $e/batch.c \
    "hd_batch_time(b, k) < x) k++" "hd_batch_time(b, k) < x - 1) k++"
mutant "a stretch of the table does not end" $e/batch.c \
    "if (k > in_stretch) k = in_stretch;" ""
mutant "a step too many before the pool is full" $e/batch.c \
    "if (free_blocks < 0) break;" "if (free_blocks < -1) break;"
mutant "watermark demanded of an empty batch" $e/prefill.c \
    "if (i->batch.count + joining > 0) {" "if (i->batch.count >= 0) {"
mutant "metric T: deadline one token late" $e/batch.c \
    "(r->emitted - step - 1) * model->tbt" "(r->emitted - step) * model->tbt"
mutant "metric T: a dip is all late" $e/score.c \
    "if (hd_piece_f(p, tbt, dip) > bound) return k;" "return k;"
mutant "metric T: pieces filtered by their last step only" $e/batch.c \
    "p.high = first > last ? first : last;" "p.high = last;"
mutant "metric Q: misses in a row earn" $e/score.c \
    "if (i > 0 && s->last_miss != i - 1)" "if (i > 0)"
mutant "metric Q: the interval starts at arrival again" $e/score.c \
    "s->start = t;" ""
mutant "ring of pieces grows too late" $e/batch.c \
    "b->next_piece - b->first_piece >= b->piece_capacity" \
    "b->next_piece - b->first_piece > b->piece_capacity"
mutant "ring forgets pieces of the oldest member" $e/batch.c \
    "if (since < oldest) oldest = since;" ""
mutant "memory of a running plan not seen" $e/turns.c \
    "hd_batch_blocks_after(&i->batch, done);" "i->batch.blocks;"
mutant "memory given back does not end a plan" $e/memory.c \
    "if (i->phase != HD_PHASE_BOUNDARY) hd_instance_cut(e, i);" ""
mutant "memory taken does not end a plan" $e/kv.c \
    "if (started && i->phase == HD_PHASE_DECODE) hd_instance_cut(e, i);" ""
mutant "KV lost elsewhere is not told" $e/kv.c \
    "hd_group_waiting_add(e, r->group, slot);
        tell_group(e, slot);" "hd_group_waiting_add(e, r->group, slot);"
mutant "KV of others on a dead instance dropped in silence" $e/fleet.c \
    "hd_kv_lose(e, i->idle_kv_first);" "hd_kv_drop(e, i->idle_kv_first);"
mutant "a GPU is free from the start again" $e/fleet.c \
    "gpu->free_since = e->now;" ""
mutant "KV that goes request by request skips one" $e/kv.c \
    "t->arrived = end;" "t->arrived = end + 1;"
mutant "KV on its way does not count against the cap" $e/kv.c \
    "there += r->kv_at == here" "there += 0 && r->kv_at == here"
mutant "neighbours do not notice who begins or rests" $e/sharing.c \
    "if (other->phase == HD_PHASE_DECODE) hd_instance_cut(e, other);" ""
mutant "a factor outlives the change that made it stale" $e/sharing.c \
    "memset(other->factor, 0, sizeof other->factor);" ""
mutant "the slope of shared steps is not stretched" $e/sharing.c \
    "*slope = stretched(*slope, factor);" "(void)slope;"
mutant "a process takes no memory" $e/sharing.c \
    "s->taken + bytes + k->process_bytes" "s->taken + bytes"
mutant "a shared GPU is accounted to the last that came" $e/sharing.c \
    "if (e->instance[s->tenant[n]].use < use) use" "use"
mutant "a plan goes on after a preemption" $e/iterate.c \
    "i->limits || made_room" "i->limits"
mutant "an interrupt before the first iteration is late" $e/iterate.c \
    "i->interrupt || i->limits" "i->limits"
mutant "a limit set during a switch is late" $e/iterate.c \
    "i->interrupt || i->limits" "i->interrupt"
mutant "the quantum one tick long" $e/iterate.c \
    "until = first + i->for_ticks;" "until = first + i->for_ticks + 1;"
mutant "work of another group does not end a quantum" $e/turns.c \
    "cut_at(e, i, end);" ";"
mutant "a joiner at the head of the queue waits for the plan's end" $e/turns.c \
    "(g->waiting.first != slot || " "(1 || "
mutant "a stall is no time of its members" $e/iterate.c \
    "i->batch.stall += e->now - i->phase_since;" ""
mutant "a group's past is charged to who joins" $e/requests.c \
    "r->base_switch = stage_time(e, group, HD_PHASE_SWITCH, g->switch_time);" ""
mutant "the index keeps the old shape" $e/index.c \
    "hd_heap_remove(&x->least, number);" ""
mutant "a follow-up of a finish sees the old sizes" $e/groups.c \
    "    i->requests--;
    hd_index_touch(e, i);" "    i->requests--;"

mutant "an asynchronous scheduler lets in at once" $e/prefill.c \
    "return !i->gated || " "return true || "
mutant "with somebody seen, a plan goes on" $e/iterate.c \
    "made_room || seen" "made_room"
mutant "who was seen once is let in whenever there is room" $e/prefill.c \
    "e->request[slot].seen_at == i->seen_at" "e->request[slot].seen_at >= 0"
mutant "an empty batch waits for a step that nobody runs" $e/iterate.c \
    "i->gated = i->flows = false;" "i->flows = false;"
mutant "the first step hides host work behind nothing" $e/parts.h \
    "return i->flows ? 0 : " "return 1 ? 0 : "
mutant "kernels longer than host work unnoticed" sim/timing/table.c \
    "if (there < *until) *until = there;" ""
mutant "the longest member's stretch does not end" sim/timing/table.c \
    "if (more_until != INT64_MAX && " "if (0 && "
mutant "the longest member is not looked for when it left" $e/batch.c \
    "if (context - b->step >= b->longest) b->longest_known = false;" ""
mutant "the longest member is lost in a rebase" $e/batch.c \
    "b->longest += b->step;" ""
mutant "time outside the engine is not in the limits" $e/parts.h \
    "return r->arrival - r->front;" "return r->arrival;"
mutant "prompts take no tokens of a step" $e/prefill.c \
    "c->room -= *now;" ""
mutant "decodes take no tokens of a step" $e/prefill.c \
    ".room = i->option.chunk - b->count" ".room = i->option.chunk"
mutant "the square of a chunk forgets what is cached" $e/prefill.c \
    "*now * (2 * done + *now)" "*now * *now"
mutant "a turn that is due lets more prompts in" $e/prefill.c \
    "!turn_is_due(e, i) && " ""

echo "$tried mistakes tried, $survived not caught (or stale)"
[ "$survived" -eq 0 ]
