#!/bin/sh
# Releases that are well, and releases that are not: each goes to production through its gate, which two verified people
# open, beside the one that serves, under the traffic of clients in another process. Whatever is not well goes back by
# itself, and says why.
#
#     examples/rollout/run.sh [WORK [HOW...]]
#
# WORK is a new folder to work in; without it, a temporary one. HOW is how the new release of one plant each is: `well`,
# or a word of bad_green.py; without any, all of them. WINDOW is after how many seconds a release is judged (10), BURST
# how many requests come in each of them (1000). Every command is shown before it runs and must end with the exit code
# stated; otherwise the script stops and ends with 1.
set -eu

. "$(dirname "$0")/../checks.sh"
. "$(dirname "$0")/../servers.sh"

command -v fleetcast >/dev/null || { echo 'fleetcast is not on the PATH: activate its environment' >&2; exit 1; }
EXAMPLE=$(cd "$(dirname "$0")" && pwd)
PROJECT=$(cd "$EXAMPLE/../.." && pwd)
WINDOW=${WINDOW:-10}
BURST=${BURST:-1000}

WORK=$(new_folder "${1:-}")
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- well errors-4-percent errors-5-percent errors-6-percent slow crash nan times-100 leak worn
OUTPUT=$(mktemp)
trap end EXIT
trap 'exit 130' INT TERM

# serves ENVIRONMENT PORT: start the server of an environment, and note where it is.
serves() {
    python3 "$EXAMPLE/server.py" . "$1" 0 "$WORK/how" >"$WORK/$1.out" 2>"$WORK/$1.log" &
    SERVERS="$SERVERS $!"
    until_says "$WORK/$1.out" ' at http'
}

# promoted: train, have Anna approve what is asked, and train again.
promoted() {
    expect 3 'fleetcast train'
    waiting=$(fleetcast approvals list --format json | sed -n 's/^ *"request_id": \([0-9]*\),*$/\1/p')
    expect 0 "FLEETCAST_TOKEN=\$ANNA fleetcast approve $(echo $waiting)"
    expect 0 'fleetcast train'
}

# agreed WHO...: these people approve what the last command has asked for.
agreed() {
    request=$(sed -n 's/^  request \([0-9]*\):.*/\1/p' "$OUTPUT")
    for who; do expect 0 "FLEETCAST_TOKEN=\$$who fleetcast approve $request"; done
}

# ── A fleet, and the people who decide ────────────────────────────────────────────────────────────────────────

chapter "A fleet of $# plants, and two people who decide what goes to production"
fleetcast init --no-git "$WORK/fleet" >/dev/null
cd "$WORK/fleet"
git init --quiet --initial-branch=release/1
git config user.name Dora && git config user.email dora@example.com
RULE="{approvers: ['*'], minimum: 2, own_request: forbidden, verified: true}"
sed -i -e "s|^  prod-deployment: .*|  prod-deployment: $RULE|" \
    -e 's|^  # soak: 5min |  soak: 4s |' -e 's|^  # window: 30s |  window: 4s |' fleetcast.yaml
number=0
sed -i '/^  PLANT001:/,/^$/d' config/circuits.yaml
for how; do
    number=$((number + 1))
    printf '  PLANT%03d: {circuits: {CIRCUIT01: {}}}\n' $number
done >plants
sed -i -e '/^plants:/r plants' config/circuits.yaml && rm plants
grep -n -e prod-deployment: -e '^  soak:' -e '^  window:' -e '^  steps:' fleetcast.yaml
expect 0 "fleetcast simulate --plants $# --circuits 1 --length 365d"
git add . && git commit --quiet --message 'A new fleet'
start_web /dev/null
FLEETCAST_TOKEN=$DORA
export FLEETCAST_TOKEN
for who in anna berta; do
    expect 0 "fleetcast people add $who --role approver"
    browser link "$(fleetcast people invite $who --url "$SITE" 2>/dev/null)"
done
ANNA=$(browser token "$SITE" anna)
BERTA=$(browser token "$SITE" berta)
export ANNA BERTA

chapter 'The first release of each plant: through test to production'
: >"$WORK/how"
promoted
serves test
expect 3 'fleetcast deploy test'
agreed ANNA
expect 0 'fleetcast deploy test --wait'
expect 0 "fleetcast qa sign-off 'PLANT*' --comment 'looked at a week of forecasts'"
expect 1 'fleetcast deploy prod'
shows 'main'
git switch --quiet --create main
serves prod
expect 3 'fleetcast deploy prod'
agreed ANNA
expect 3 'fleetcast deploy prod'
agreed BERTA
expect 0 'fleetcast deploy prod --wait'

chapter 'Every plant is trained anew, and tried in test'
git switch --quiet release/1
sed -i 's|^  cutoff_date: [0-9-]*|  cutoff_date: 2025-11-16|' config/circuits.yaml
git commit --quiet --all --message 'Two weeks less'
promoted
expect 3 'fleetcast deploy test'
agreed ANNA
expect 0 'fleetcast deploy test --wait'
expect 0 "fleetcast qa sign-off 'PLANT*' --comment 'looked at a week of forecasts'"
git switch --quiet main && git merge --quiet release/1
sed -i -e "s|^  soak: 4s |  soak: ${WINDOW}s |" -e "s|^  window: 4s |  window: ${WINDOW}s |" fleetcast.yaml
git commit --quiet --all --message 'Look longer in production'
PROD=$(sed -n 's/.* at //p' "$WORK/prod.out")

# ── One new release after another ─────────────────────────────────────────────────────────────────────────────

# goes HOW PLANT CODE: take the new release of a plant to production under traffic; `deploy` must end with this code.
goes() {
    case $1 in well) : >"$WORK/how" ;; *) echo "$1" >"$WORK/how" ;; esac
    expect 3 "fleetcast deploy prod --plants $2"
    agreed ANNA BERTA
    KEY=$(fleetcast endpoints key "prod/$2")
    export KEY
    python3 "$EXAMPLE/clients.py" "$PROD" "$2" "$BURST" "$WINDOW" >"$WORK/$1.log" 2>&1 &
    CLIENTS=$!
    SERVERS="$SERVERS $CLIENTS"
    expect "$3" "fleetcast deploy prod --plants $2 --wait"
    cp "$OUTPUT" "$WORK/$1.deployed"
    kill "$CLIENTS" && wait "$CLIENTS" || true
    printf '\nwhat clients saw:\n'
    cat "$WORK/$1.log"
}

# serves_on HOW: it came to everybody.
serves_on() {
    grep -qF 'done' "$WORK/$1.deployed" || fail "$1 is not done"
    for share in 0 10 25 50 100; do
        grep -q "^green has $share %: $BURST answers" "$WORK/$1.log" || fail "no burst at $share %"
    done
    grep -q 'from versions \[1, 2\]' "$WORK/$1.log" || fail 'clients were not answered by both releases'
}

# went_back HOW TEXT...: it was rolled back, and these words say why.
went_back() {
    how=$1
    shift
    for text in 'rolled back: ' "$@"; do
        grep -qF -- "$text" "$WORK/$how.deployed" || fail "$how does not say: $text"
    done
}

# unhurt HOW: no client saw an error, or a forecast of the new release.
unhurt() { grep -q ' 0 errors, from versions \[1\]' "$WORK/$1.log" || fail "clients were hurt by $1"; }

number=0
for how; do
    number=$((number + 1))
    plant=PLANT$(printf %03d $number)
    case $how in
    well)
        chapter 'A release that is well'
        goes well $plant 0
        serves_on well
        grep -q ' 0 errors, from' "$WORK/well.log" || fail 'there were errors'
        ;;
    errors-4-percent | errors-5-percent)
        chapter "A release with ${how#errors-} errors: as many as may be"
        goes $how $plant 0
        serves_on $how
        ;;
    *)
        chapter "A release that is not well: $how"
        goes $how $plant 1
        case $how in
        errors-6-percent) went_back $how 'while it got copies of requests' '% of ' 'answers were errors' ;;
        slow) went_back $how 'while it got copies of requests' 'answers were too slow' ;;
        crash) went_back $how 'before it got anything' 'the model runtime is not there' ;;
        nan) went_back $how 'while it got copies of requests' 'forecasts could not be true' ;;
        times-100) went_back $how 'while it got copies of requests' 'forecasts could not be true' ;;
        leak) went_back $how 'while it got copies of requests' 'MiB of memory' ;;
        worn) went_back $how '% of the traffic' 'answers were errors' ;;
        *) fail "nobody knows how a release is that is $how" ;;
        esac
        [ $how = worn ] || unhurt $how
        expect 0 "fleetcast deploy prod --plants $plant"
        shows 'was rolled back, and is blocked'
        ;;
    esac
done

# ── Afterwards ────────────────────────────────────────────────────────────────────────────────────────────────

chapter 'How everything stands, and what an auditor reads'
expect 0 'fleetcast deploy status'
expect 0 "fleetcast approvals show $request"
shows anna
shows berta
expect 0 'fleetcast audit verify'

chapter "All as expected. Look around in $WORK"
