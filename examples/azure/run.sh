#!/bin/sh
# A fleet on Azure ML, from nothing to a rollback, without Azure: the unmodified SDK asks an emulator of what Microsoft
# publishes, and everything that was asked and answered is held against those descriptions at the end. Each command runs
# on an agent of its own: an empty directory, an empty home, a fresh checkout.
#
#     examples/azure/run.sh [DATA [WORK]]
#
# DATA is the folder of the public data sets (examples/real-data/README.md says where to get them); without it, six
# circuits are simulated. WORK is a new folder to work in; without it, a temporary one. A PostgreSQL server and the emulator
# are started for the purpose and ended again. Every command is shown before it runs and must end with the exit code
# stated; otherwise the script stops and ends with 1.
set -eu

. "$(dirname "$0")/../checks.sh"
. "$(dirname "$0")/../servers.sh"

# expect CODE COMMAND: as in checks.sh, but each command runs on an agent of its own.
expect() {
    printf '\n[agent %s]$ %s\n' "$NUMBER" "$2"
    agent=$WORK/agents/$NUMBER
    NUMBER=$((NUMBER + 1))
    mkdir -p "$agent/home" "$agent/work"
    code=0
    (
        cd "$agent/work"
        env -i PATH="$PATH" HOME="$agent/home" LANG=C.UTF-8 FLEETCAST_DATABASE_URL="$DATABASE" \
            FLEETCAST_SIGNING_KEY="$KEY" ${WHO:+FLEETCAST_TOKEN="$WHO"} ANNA="${ANNA:-}" BERTA="${BERTA:-}" REPOSITORY="$REPOSITORY" BRANCH="$BRANCH" DATA="$DATA" AZURE="$WORK/azure.env" \
            sh -c ". \"\$AZURE\" && git clone --quiet --branch \"\$BRANCH\" \"\$REPOSITORY\" fleet && cd fleet && $2"
    ) >"$OUTPUT" 2>&1 || code=$?
    cat "$OUTPUT"
    rm -rf "$agent"
    [ "$code" -eq "$1" ] || fail "exit code $code instead of $1"
}

# ── PostgreSQL and the emulator ───────────────────────────────────────────────────────────────────────────────

command -v fleetcast >/dev/null || { echo 'fleetcast is not on the PATH: activate its environment' >&2; exit 1; }
EXAMPLE=$(cd "$(dirname "$0")" && pwd)
PROJECT=$(cd "$EXAMPLE/../.." && pwd)

DATA=${1:-}
[ -z "$DATA" ] || DATA=$(cd "$DATA" && pwd)
WORK=$(new_folder "${2:-}")
OUTPUT=$(mktemp)
NUMBER=1
KEY=$(head -c 32 /dev/urandom | base64)
REPOSITORY=$WORK/repository
BRANCH=main

trap end_servers EXIT
trap 'exit 130' INT TERM

chapter 'An empty subscription: the emulator, and a PostgreSQL server'
start_postgresql
start_azure "$KEY"
sed -n 's/^export \([A-Z_]*PROXY\|AZURE_STORAGE_ENDPOINT\)=/\1=/p' "$WORK/azure.env"

# ── The repository: what people push ──────────────────────────────────────────────────────────────────────────

chapter 'A fleet repository that says where in Azure it is'
fleetcast init --no-git "$REPOSITORY" >/dev/null
cd "$REPOSITORY"
sed -i -e 's|^  kind: local  .*|  kind: azureml|' -e 's|^  state: .fleetcast .*|&\n  storage: az://fleet/plants|' \
    -e 's|^  batch_size: 50 .*|  batch_size: 3|' -e 's|^  # soak: 5min |  soak: 8s |' -e 's|^  # window: 30s |  window: 8s |' \
    -e 's|^  steps: .*|  steps: [0, 50, 100]|' fleetcast.yaml
cat >>fleetcast.yaml <<'YAML'

azure:
  subscription_id: 11111111-1111-1111-1111-111111111111
  resource_group: fleetcast
YAML
if [ -n "$DATA" ]; then
    cp "$EXAMPLE/circuits.yaml" config/circuits.yaml
else
    echo 'no public data sets are named: six circuits are simulated (DATA=folder)'
fi
grep -n -e kind: -e storage: -e batch_size: -A3 fleetcast.yaml | head -20
git init --quiet --initial-branch main
git config user.name 'Somebody'
git config user.email somebody@localhost
git config commit.gpgsign false
git add .
git commit --quiet -m 'Declare the fleet'

chapter 'What the fleet needs in Azure'
expect 0 'fleetcast setup azure --apply --yes'

chapter 'People who are signed in: production asks for two of them'
cat >"$WORK/web.env" <<ENV
. '$WORK/azure.env'
export FLEETCAST_DATABASE_URL='$DATABASE' FLEETCAST_SIGNING_KEY='$KEY' HOME='$WORK'
ENV
start_web "$WORK/web.env"
WHO=$DORA
for who in anna berta; do
    expect 0 "fleetcast people add $who --role approver"
    expect 0 "fleetcast people invite $who --url $SITE"
    browser link "$(grep -o 'http[^ ]*' "$OUTPUT" | head -n 1)"
done
ANNA=$(browser token "$SITE" anna)
BERTA=$(browser token "$SITE" berta)

chapter 'Readings arrive'
if [ -n "$DATA" ]; then
    expect 0 'fleetcast ingest "$DATA"/etth/ETTh1.csv --plant ETT --circuit ETTh1 --timezone Asia/Shanghai'
    expect 0 'fleetcast ingest "$DATA"/etth/ETTh2.csv --plant ETT --circuit ETTh2 --timezone Asia/Shanghai'
    expect 0 'fleetcast ingest "$DATA"/la_haute_borne/la-haute-borne-data-2014-2015.csv.gz --plant LHB --circuit-column Wind_turbine_name'
    PLANT=ETT CIRCUIT=ETTh1
else
    expect 0 'fleetcast simulate --length 120d --plants 2 --circuits 3'
    PLANT=PLANT001 CIRCUIT=CIRCUIT01
fi
expect 2 'fleetcast plan --detailed-exitcode'
shows 'Plan: 6 to train'

# ── Eight stages on eight agents ──────────────────────────────────────────────────────────────────────────────

STAGES='RegisterEnvironment PromoteEnvironment RegisterComponents RegisterData SubmitTraining MonitorTraining
    RegisterModels PromoteModels'

# stages RUN CODES: run all eight, each on an agent of its own, and insist on their exit codes.
stages() {
    run=$1
    shift
    for name in $STAGES; do
        [ "$name" = RegisterEnvironment ] && option= || option=" --run $run"
        expect "$1" "fleetcast stage $name$option"
        shift
    done
}

chapter 'Eight stages, eight agents: two jobs of three circuits each train on the cluster, and people are asked'
stages run-0001 0 3 0 0 0 0 0 3
expect 0 'fleetcast approve --passing --comment "looked at skill and coverage"'
expect 0 'fleetcast approvals list --format json | sed -n "s/^ *\"request_id\": \([0-9]*\),*\$/\1/p" | xargs -r fleetcast approve --comment "what failed was looked at, and is known"'
stages run-0001 0 0 0 0 0 0 0 0
expect 0 'fleetcast plan --detailed-exitcode'
shows 'Nothing to do'
expect 0 'fleetcast models list'

# ── To test, and to production ────────────────────────────────────────────────────────────────────────────────

# agreed WHO...: these people approve what the last command has asked for.
agreed() {
    request=$(sed -n 's/^  request \([0-9]*\):.*/\1/p' "$OUTPUT")
    for one; do expect 0 "FLEETCAST_TOKEN=\$$one fleetcast approve $request"; done
}

# asked ENVIRONMENT: clients ask this plant's endpoint until they are ended.
asked() {
    (cd "$PROJECT" && . "$WORK/azure.env" && exec python "$EXAMPLE/clients.py" "$1" "$PLANT" "$CIRCUIT") >"$WORK/$1.clients" 2>&1 &
    CLIENTS=$!
    SERVERS="$SERVERS $CLIENTS"
}

# saw ENVIRONMENT: end the clients, and show what they saw.
saw() {
    kill "$CLIENTS" && wait "$CLIENTS" || true
    cat "$WORK/$1.clients"
}

chapter 'The first release: to test, and to production'
(cd "$REPOSITORY" && git switch --quiet --create release/1)
BRANCH=release/1
expect 3 'fleetcast deploy test'
agreed ANNA
expect 0 'fleetcast deploy test --wait'
expect 0 "fleetcast qa sign-off '*' --comment 'looked at a week of forecasts'"
BRANCH=main
expect 3 'fleetcast deploy prod'
agreed ANNA BERTA
expect 0 'fleetcast deploy prod --wait'

chapter 'A later release under the traffic of clients: copies first, then half of the requests, then all'
(cd "$REPOSITORY" && git switch --quiet release/1 &&
    if [ -n "$DATA" ]; then sed -i 's|cutoff_date: 2018-05-31|cutoff_date: 2018-05-20|' config/circuits.yaml
    else sed -i 's|^  training_days: [0-9]*|  training_days: 100|' config/circuits.yaml; fi &&
    git commit --quiet --all -m 'Train on another window')
BRANCH=release/1
expect 3 'fleetcast train'
expect 0 'fleetcast approvals list --format json | sed -n "s/^ *\"request_id\": \([0-9]*\),*\$/\1/p" | xargs -r fleetcast approve'
expect 0 'fleetcast train'
expect 3 "fleetcast deploy test --plants $PLANT"
agreed ANNA
asked test
expect 0 "fleetcast deploy test --plants $PLANT --wait"
saw test
expect 0 "fleetcast qa sign-off $PLANT --comment 'looked at a week of forecasts'"
(cd "$REPOSITORY" && git switch --quiet main && git merge --quiet release/1)
BRANCH=main
expect 3 "fleetcast deploy prod --plants $PLANT"
agreed ANNA BERTA
asked prod
expect 0 "fleetcast deploy prod --plants $PLANT --wait"
saw prod

chapter 'One operator takes it back'
expect 0 "fleetcast rollback prod $PLANT --reason 'clients complain'"
expect 0 'fleetcast releases list'
expect 0 'fleetcast audit verify'

# ── What was asked of Azure ───────────────────────────────────────────────────────────────────────────────────

chapter 'Everything that was asked and answered, held against what Microsoft publishes'
(cd "$PROJECT" && . "$WORK/azure.env" && python -m tests.azure_oracle "$HTTPS_PROXY")

chapter "All as expected: $((NUMBER - 1)) agents. Look around in $WORK"
