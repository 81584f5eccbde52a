#!/bin/sh
# The story of an alarm: a plant begins to run by another rhythm, monitoring finds it, Teams and mail tell of it, somebody
# takes it in hand, a retrain is proposed, merged, trained and brought to where it serves, and the alarm is over.
#
#     examples/monitoring/run.sh dev|test [WORK]
#
# test is the whole story, with forecasts and deployments; dev stops at promoted models. WORK is a new folder to work in;
# without it, a temporary one. Readings end today and looks lie in the past (`--at`), so that weeks pass in a minute. Every
# command is shown before it runs and must end with the exit code stated; otherwise the script stops and ends with 1.
set -eu

. "$(dirname "$0")/../checks.sh"

command -v fleetcast >/dev/null || { echo 'fleetcast is not on the PATH: activate its environment' >&2; exit 1; }
EXAMPLE=$(cd "$(dirname "$0")" && pwd)
ENV=${1:?dev or test}
case $ENV in dev | test) ;; *) echo "not told in $ENV: dev or test" >&2; exit 1 ;; esac

WORK=$(new_folder "${2:-}")
OUTPUT=$(mktemp)
trap end EXIT
trap 'exit 130' INT TERM

# day N: the day that is N days ago, by UTC.
day() { python3 -c "import datetime as d; print(d.datetime.now(d.UTC).date() - d.timedelta($1))"; }
TODAY=$(day 0)
CHANGED=$(day 28)
CALM=$(day 29)
NOTICED=$(day 26)

# in_full CODE COMMAND: as `expect`; left out where the story is told in short.
in_full() { [ "$ENV" = dev ] || expect "$1" "$2"; }

# committed MESSAGE: what was edited.
committed() { git add . && git commit --quiet --message "$1"; }

# trained: all eight stages, with the decision that they wait for.
trained() {
    expect 3 'fleetcast train'
    expect 0 'fleetcast approve --passing --comment "better than last week repeated"'
    expect 0 'fleetcast train'
}

# deployed --create|--quiet: from a release branch to test, where nothing is asked of a server: forecasts come by `score`.
deployed() {
    [ "$ENV" = test ] || return 0
    git switch --quiet "$1" release/1
    [ "$1" = --create ] || git merge --quiet develop
    expect 3 'fleetcast deploy test'
    expect 0 "fleetcast approve $(sed -n 's/^  request \([0-9]*\):.*/\1/p' "$OUTPUT")"
    expect 0 'fleetcast deploy test --wait'
    git switch --quiet develop
}

# read_until DAYS LAST: so many days of readings come in, up to where the day LAST begins.
read_until() {
    python3 "$EXAMPLE/readings.py" "$1" "$2" "$CHANGED" >"$WORK/readings.csv"
    expect 0 "fleetcast ingest ../readings.csv --plant-column plant --circuit-column circuit --timestamp-column time"
}

# told TEXT: wait, a minute at most, until both Teams and mail have a message with this text.
told() {
    left=120
    until python3 "$EXAMPLE/receivers.py" has "$WORK/told" "$1"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { cat "$WORK/deliver.out" "$WORK/deliver.log"; fail "nobody was told: $1"; }
        sleep 0.5
    done
}

# ── Who is told, and of what ──────────────────────────────────────────────────────────────────────────────────

chapter 'Teams, a mail server and a fleet of four circuits'
mkdir "$WORK/told"
python3 "$EXAMPLE/receivers.py" listen "$WORK/told" >"$WORK/receivers.out" 2>"$WORK/receivers.log" &
SERVERS=$!
until_says "$WORK/receivers.out" 'mail: '
OPERATORS_TEAMS_URL=$(sed -n 's/^teams: //p' "$WORK/receivers.out")
SSL_CERT_FILE=$WORK/told/authority.pem
export OPERATORS_TEAMS_URL SSL_CERT_FILE

fleetcast init --no-git "$WORK/fleet" >/dev/null
cd "$WORK/fleet"
git init --quiet --initial-branch develop
git config user.name Dora && git config user.email dora@example.com
cat >>fleetcast.yaml <<YAML

notifications:
  channels:
    - {name: operators, kind: teams, url: '\${env:OPERATORS_TEAMS_URL}'}
    - {name: ada, kind: email, host: 127.0.0.1, port: $(sed -n 's/^mail: //p' "$WORK/receivers.out"), from: fleetcast@example.com, to: [ada@example.com], security: none}
  routes:
    - {channels: [operators], environments: [$ENV], events: [drift, alarm, recovered]}
    - {channels: [ada], owners: [Ada], events: [drift, alarm, recovered, training-completed]}
  digest: {wait: 1s}
  allowed_networks: [127.0.0.1/32]
YAML
sed -i -e 's|^    thresholds: {min_skill: 0} .*at least.*|&\n    data_drift: 0.15|' fleetcast.yaml
sed -i -e 's|^  training_days: 365|  training_days: 28|' -e "s|^  cutoff_date: [0-9-]*|  cutoff_date: $(day 31)|" \
    -e 's|^  forecast_horizon: 7 |  forecast_horizon: 12h |' \
    -e 's|^  data_source: readings|&\n  serving: batch\n  thresholds: {min_coverage_80: 0.6, max_coverage_80: 0.97}|' \
    -e 's|^  PLANT001:|&\n    defaults: {owner: Ada}|' \
    -e 's|^      CIRCUIT01: {}|&\n      CIRCUIT02: {}\n      CIRCUIT03: {}\n  PLANT002:\n    circuits: {CIRCUIT01: {}}|' \
    config/circuits.yaml
committed 'Declare the fleet'
in_full 0 'fleetcast notifications test operators'
in_full 0 'fleetcast notifications test ada'
fleetcast notifications deliver --every 1s >"$WORK/deliver.out" 2>"$WORK/deliver.log" &
SERVERS="$SERVERS $!"
read_until 60 "$CALM"
trained
deployed --create

chapter 'Nothing has changed yet'
in_full 0 "fleetcast score test --date $CALM"
expect 0 "fleetcast monitor $ENV --at $CALM"
shows 'nothing needs anybody'

chapter 'Two days after PLANT001 began to run otherwise'
read_until 63 "$NOTICED"
expect 0 "fleetcast monitor $ENV --at $NOTICED"
shows '[new] 1 process changed at PLANT001'
shows 'owner Ada'
in_full 0 'fleetcast alarms list'

chapter 'Somebody looks, and takes it in hand'
told 'process changed: PLANT001'
in_full 0 'fleetcast alarms show 1'
expect 0 'fleetcast alarms ack 1 --comment "in batches since the new boiler; to be retrained on a month of that"'
in_full 0 "fleetcast propose $ENV --dry-run"

chapter 'Four weeks later: would a retrain pay?'
read_until 89 "$TODAY"
expect 0 "fleetcast diagnose PLANT001 --env $ENV --back 1h"
shows 'model (0.70)'
expect 0 "fleetcast propose $ENV"
shows 'of the error of plant001-circuit01:1 saved'
in_full 0 'git log --all --oneline --decorate'
git merge --quiet "fleetcast/retrain-$(day 0)"
expect 2 'fleetcast plan --detailed-exitcode'
shows '3 to train'
trained
deployed --quiet

chapter 'Over, once two looks in a row find it fine'
expect 0 "fleetcast monitor $ENV --at $TODAY"
expect 0 "fleetcast monitor $ENV --at ${TODAY}T00:01:00Z"
shows 'recovered: 1 process changed at PLANT001'
expect 0 'fleetcast alarms list'
shows 'No alarm.'
told 'process changed: PLANT001 is over'
expect 0 'fleetcast notifications list'

chapter 'What people were told'
python3 "$EXAMPLE/receivers.py" show "$WORK/told"

chapter "All as expected, in $ENV. Look around in $WORK"
