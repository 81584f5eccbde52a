#!/bin/sh
# A fleet of eight real circuits, from public files to promoted models, as a person would type it.
#
#     examples/real-data/run.sh DATA [WORK]
#
# DATA is the folder of the public data sets (README.md says where to get them), WORK a new folder to work in;
# without it, a temporary one. Every command is shown before it runs and must end with the exit code stated;
# otherwise the script stops and ends with 1.
set -eu
unset FLEETCAST_DATABASE_URL  # an example is a fleet of its own, never a team's

. "$(dirname "$0")/../checks.sh"

# change FILE OLD NEW: edit as an editor would, and show the lines.
change() {
    grep -qF -- "$2" "$1" || fail "$1 has no: $2"
    sed "s/$2/$3/" "$1" >"$1.new"
    diff "$1" "$1.new" | sed -n "s|^[<>]|$1 &|p"
    mv "$1.new" "$1"
}

# waiting: the numbers of the requests that wait for a decision.
waiting() { fleetcast approvals list --format json | sed -n 's/^ *"request_id": \([0-9]*\),*$/\1/p' | tr '\n' ' '; }

# decide_the_rest: what fails a check is left by --passing for a person, who looks at it and decides by number.
decide_the_rest() {
    [ -n "$(waiting)" ] || return 0
    expect 0 'fleetcast approvals list'
    expect 0 'fleetcast approve $(waiting) --comment "what failed was looked at, and is known"'
}

# ── A git repository to work in, so that the example itself stays as it is ────────────────────────────────────

[ $# -eq 1 ] || [ $# -eq 2 ] || { echo "usage: $0 DATA [WORK]" >&2; exit 64; }
for set in skab/valve1 skab/other etth la_haute_borne; do
    [ -d "$1/$set" ] || { echo "$1 has no folder $set: see README.md for where to get the data" >&2; exit 1; }
done
command -v fleetcast >/dev/null || { echo 'fleetcast is not on the PATH: activate its environment' >&2; exit 1; }

EXAMPLE=$(cd "$(dirname "$0")" && pwd)
DATA=$(cd "$1" && pwd)
WORK=$(new_folder "${2:-}")
OUTPUT=$(mktemp)
trap 'rm -f "$OUTPUT"' EXIT

chapter "A fleet repository in $WORK"
cp -R "$EXAMPLE/fleetcast.yaml" "$EXAMPLE/config" "$EXAMPLE/components" "$EXAMPLE/.gitignore" "$WORK"
cd "$WORK"
ln -s "$DATA" data
git init -q
git config user.name 'Real data'
git config user.email real-data@localhost
git config commit.gpgsign false
expect 0 'git add . && git commit -q -m "Declare eight circuits"'
expect 0 'fleetcast validate'

# ── Readings ──────────────────────────────────────────────────────────────────────────────────────────────────

chapter 'SKAB: local times without a zone'
# The experiments were timed by a clock that does not say its zone. Only the time between readings matters here,
# so UTC it is. `anomaly` and `changepoint` are labels, not sensors; a sensor's name has no blanks.
expect 0 'fleetcast ingest data/skab/valve1/*.csv --plant SKAB --circuit valve1 --timezone UTC \
    --rename "Volume Flow RateRMS=VolumeFlowRateRMS" --drop anomaly --drop changepoint'
shows '18,160 rows read, 18,160 written'
expect 0 'fleetcast ingest data/skab/other/*.csv --plant SKAB --circuit other --timezone UTC \
    --rename "Volume Flow RateRMS=VolumeFlowRateRMS" --drop anomaly --drop changepoint'
shows '14,929 rows read, 14,211 written'
shows '718 exact duplicates dropped, 0 conflicting'      # experiments that overlap

chapter 'ETT: local times of a province of China'
# China has one zone and, in these years, no daylight-saving time.
expect 0 'fleetcast ingest data/etth/ETTh1.csv --plant ETT --circuit ETTh1 --timezone Asia/Shanghai'
shows '17,420 rows read, 17,420 written'
expect 0 'fleetcast ingest data/etth/ETTh2.csv --plant ETT --circuit ETTh2 --timezone Asia/Shanghai'
shows '17,420 rows read, 17,420 written'

chapter 'La Haute Borne: four turbines in one file, times with their offset'
expect 0 'fleetcast ingest data/la_haute_borne/la-haute-borne-data-2014-2015.csv.gz --plant LHB \
    --circuit-column Wind_turbine_name'
shows '2,569 rows without a reading'                     # kept as empty cells by the operator
shows '48 conflicting duplicates (the last in file order won)'  # the hours when clocks went forward
shows 'Delta version 4'                                  # what config/circuits.yaml names

chapter 'What the readings are like'
# With --frequency or --limit, all readings are measured; the numbers are those that the sets' own READMEs name.
expect 0 'fleetcast data show'
expect 0 'fleetcast data quality "SKAB/*" --frequency 5s'
shows '3 gaps of 37 empty steps in all, not bridged'
expect 0 'fleetcast data quality "ETT/*" --frequency 1h'
shows 'LUFL: stuck for up to 141 steps'
shows 'MUFL: stuck for up to 1025 steps'
expect 0 'fleetcast data quality "LHB/*" --limit Ot_avg=-40..60 --limit Ba_avg=-100..100'
shows 'Ot_avg: stuck for up to 73 steps'
shows 'outside physical limits, masked'
# Without, each circuit is judged as training will judge it: its own window, frequency and limits.
expect 0 'fleetcast data quality'
shows 'R80721: 51,466 rows'

# ── Models ────────────────────────────────────────────────────────────────────────────────────────────────────

chapter 'Eight models to train'
expect 2 'fleetcast plan --detailed-exitcode'
shows 'Plan: 8 to train'
expect 3 'fleetcast train'
expect 0 'fleetcast approvals list'

chapter 'One approval for the whole fleet'
expect 0 'fleetcast approve --passing --comment "first models; skill and coverage looked at"'
decide_the_rest
expect 0 'fleetcast train'
expect 0 'fleetcast plan --detailed-exitcode'
shows 'Plan: 8 up to date. Nothing to do.'
expect 0 'fleetcast models list'
shows '8 circuits, 8 with a model, 8 promoted'

# ── Changes ───────────────────────────────────────────────────────────────────────────────────────────────────

chapter 'One cutoff changes: one circuit trains'
change config/circuits.yaml 'R80711: {}' 'R80711: {cutoff_date: 2015-12-31}'
expect 0 'git commit -q -a -m "Train LHB/R80711 on December as well"'
expect 2 'fleetcast plan --detailed-exitcode'
shows 'LHB/R80711'
shows 'cutoff_date 2015-11-30 → 2015-12-31'
shows 'Plan: 1 to train, 7 up to date'
expect 3 'fleetcast train'
expect 0 'fleetcast approvals list'
expect 0 'fleetcast approve --passing --comment "held against the champion"'
decide_the_rest
expect 0 'fleetcast train'
expect 0 'fleetcast plan --detailed-exitcode'

chapter 'A new environment: nothing trains, one promotion'
change config/environment.yaml 'version: 1.0.0' 'version: 1.1.0'
expect 0 'git commit -q -a -m "Bump the training environment"'
expect 2 'fleetcast plan --detailed-exitcode'
shows 'promote environment fleetcast-training:1.1.0'
shows 'Plan: 8 up to date'
expect 3 'fleetcast train'
expect 0 'fleetcast approve --passing --comment "routine update"'
decide_the_rest
expect 0 'fleetcast train'
expect 0 'fleetcast plan --detailed-exitcode'

chapter 'A new component: all eight train'
change components/training-pipeline-component.yaml 'version: 1.0.0' 'version: 1.1.0'
change config/circuits.yaml 'pipeline_component_version: 1.0.0' 'pipeline_component_version: 1.1.0'
expect 0 'git commit -q -a -m "Bump the training component"'
expect 2 'fleetcast plan --detailed-exitcode'
shows 'Plan: 8 to train'
shows 'pipeline_component_version 1.0.0 → 1.1.0'
expect 3 'fleetcast train'
shows '8 completed'

chapter 'All three reverted: earlier models are used again, nothing trains'
expect 0 'git revert --no-edit HEAD~3..HEAD'
expect 2 'fleetcast plan --detailed-exitcode'
shows 'Plan: 8 to reuse'
expect 0 'fleetcast train'
shows 'nothing to train'
expect 0 'fleetcast plan --detailed-exitcode'
shows 'Plan: 8 up to date. Nothing to do.'

# ── Forecasts ─────────────────────────────────────────────────────────────────────────────────────────────────

chapter 'Forecasts from the end of the training data, with pictures of what came true'
expect 0 'fleetcast forecast SKAB/valve1 --at 2020-03-09T15:15:00Z --sensor Temperature --sensor VolumeFlowRateRMS \
    --png skab-valve1.png'
shows 'readings since'
expect 0 'fleetcast forecast ETT/ETTh1 --at 2018-06-01 --sensor HUFL --sensor OT --png ett-etth1.png'
shows '168 readings since'
[ -s skab-valve1.png ] && [ -s ett-etth1.png ] || fail 'a picture is missing'

chapter "All as expected. Look around in $WORK"
