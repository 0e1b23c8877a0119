# Both examples of each help text are run as they stand, in a fresh clone's place.
[ -z "${CHECKED_BUILD:-}" ] || {
    echo "of texts, not of memory: the plain build runs it"
    exit 77
}
try() {
    "$@" --help | awk '
        /^examples:/ { on = 1; next }
        on && NF == 0 { exit }
        on' >examples
    [ "$(grep -c '^ *hotdesk ' examples)" = 2 ] || echo "$*: not two examples"
    bash -e -o pipefail examples >text 2>&1 || {
        echo "$*: exit $?"
        tail -3 text
    }
}
try hotdesk
try hotdesk replay
try hotdesk compare
try hotdesk ladder
try hotdesk trace info
try hotdesk trace synth
try hotdesk trace fit
try hotdesk trace compare
