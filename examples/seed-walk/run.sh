#!/bin/sh
# The five common tasks of a team, one after the other, on a fleet that is in production: a package of the environment is
# updated, the training pipeline is changed, a circuit is added, QA deploys to test, and two people open production. After
# each change `fleetcast plan` says what it means, and the script insists on that.
#
#     examples/seed-walk/run.sh local|azure [WORK]
#
# The same commands on both platforms; an emulator stands for Azure. WORK is a new folder to work in; without it, a
# temporary one. Every command is shown before it runs and must end with the exit code stated; otherwise the script stops
# and ends with 1.
set -eu

. "$(dirname "$0")/../checks.sh"
. "$(dirname "$0")/../servers.sh"

command -v fleetcast >/dev/null || { echo 'fleetcast is not on the PATH: activate its environment' >&2; exit 1; }
EXAMPLE=$(cd "$(dirname "$0")" && pwd)
PROJECT=$(cd "$EXAMPLE/../.." && pwd)
PLATFORM=${1:?local or azure}
case $PLATFORM in local | azure) ;; *) echo "no platform $PLATFORM: local or azure" >&2; exit 1 ;; esac

WORK=$(new_folder "${2:-}")
OUTPUT=$(mktemp)
trap end_servers EXIT
trap 'exit 130' INT TERM
CIRCUITS=config/circuits.yaml
COMPONENT=components/training-pipeline-component.yaml

# committed MESSAGE: what was edited.
committed() {
    git diff --unified=0 | grep -E '^[+-] ' || true
    git add . && git commit --quiet --message "$1"
}

# approved WHO: they approve everything that waits.
approved() {
    waiting=$(fleetcast approvals list --format json | sed -n 's/^ *"request_id": \([0-9]*\),*$/\1/p')
    expect 0 "FLEETCAST_TOKEN=\$$1 fleetcast approve $(echo $waiting)"
}

# agreed WHO...: these people approve what the last command has asked for.
agreed() {
    request=$(sed -n 's/^  request \([0-9]*\):.*/\1/p' "$OUTPUT")
    for who; do expect 0 "FLEETCAST_TOKEN=\$$who fleetcast approve $request"; done
}

# trained: all eight stages, with the decision that they wait for.
trained() {
    expect 3 'fleetcast train'
    approved ANNA
    expect 0 'fleetcast train'
}

# to_test: QA lets the release into test, looks at it there, and signs off.
to_test() {
    git switch --quiet "$1" release/1
    [ "$1" = --create ] || git merge --quiet develop
    expect 3 'fleetcast deploy test'
    agreed QUINN
    clients test
    expect 0 'fleetcast deploy test --wait'
    expect 0 "FLEETCAST_TOKEN=\$QUINN fleetcast qa sign-off PLANT001 --comment 'looked at a week of forecasts'"
}

# to_production: two people who did not ask for it open production, and the deployment is watched to its end.
to_production() {
    git switch --quiet "$1" main
    [ "$1" = --create ] || git merge --quiet release/1
    expect 3 'fleetcast deploy prod'
    agreed ANNA
    shows '1 more to go'
    expect 3 'fleetcast deploy prod'
    agreed BERTA
    clients prod
    expect 0 'fleetcast deploy prod --wait'
    expect 0 'fleetcast deploy status'
}

# clients ENVIRONMENT: a release proves itself by the requests that it gets; the first one has nothing to be held against.
clients() {
    [ "$SERVED" = yes ] || return 0
    if [ "$PLATFORM" = azure ]; then
        python3 "$PROJECT/examples/azure/clients.py" "$1" PLANT001 CIRCUIT01 >"$WORK/$1.clients" 2>&1 &
    else
        KEY=$(fleetcast endpoints key "$1/PLANT001")
        export KEY
        python3 "$PROJECT/examples/rollout/clients.py" "$(sed -n 's/.* at //p' "$WORK/$1.out")" PLANT001 300 15 \
            >"$WORK/$1.clients" 2>&1 &
    fi
    SERVERS="$SERVERS $!"
}

# ── A seed ────────────────────────────────────────────────────────────────────────────────────────────────────

chapter "A fleet of three circuits on the platform $PLATFORM"
fleetcast init --no-git "$WORK/fleet" >/dev/null
cd "$WORK/fleet"
git init --quiet --initial-branch develop
git config user.name Dora && git config user.email dora@example.com
sed -i -e 's|^  # soak: 5min |  soak: 15s |' -e 's|^  # window: 30s |  window: 15s |' -e 's|^  steps: .*|  steps: [0, 50, 100]|' \
    -e 's|^  batch_size: 50 .*|  batch_size: 3|' fleetcast.yaml
sed -i -e 's|^  training_days: 365|  training_days: 110|' -e 's|^  cutoff_date: [0-9-]*|  cutoff_date: 2025-04-28|' -e 's|^  forecast_horizon: 7|  forecast_horizon: 1|' \
    -e 's|^      CIRCUIT01: {}|&\n      CIRCUIT02: {}\n      CIRCUIT03: {}|' "$CIRCUITS"
: >"$WORK/env"
if [ "$PLATFORM" = azure ]; then
    KEY=$(head -c 32 /dev/urandom | base64)
    start_postgresql
    start_azure "$KEY"
    cat >"$WORK/env" <<ENV
. '$WORK/azure.env'
export FLEETCAST_DATABASE_URL='$DATABASE' FLEETCAST_SIGNING_KEY='$KEY'
ENV
    sed -i -e 's|^  kind: local  .*|  kind: azureml|' -e 's|^  state: .fleetcast .*|&\n  storage: az://fleet/plants|' fleetcast.yaml
    cat >>fleetcast.yaml <<'YAML'

azure:
  subscription_id: 11111111-1111-1111-1111-111111111111
  resource_group: fleetcast
YAML
fi
. "$WORK/env"
git add . && git commit --quiet --message 'Declare the fleet'
[ "$PLATFORM" = local ] || expect 0 'fleetcast setup azure --apply --yes'
start_web "$WORK/env"
FLEETCAST_TOKEN=$DORA
export FLEETCAST_TOKEN
for who in anna berta quinn; do
    expect 0 "fleetcast people add $who --role approver"
    browser link "$(fleetcast people invite $who --url "$SITE" 2>/dev/null)"
done
ANNA=$(browser token "$SITE" anna)
BERTA=$(browser token "$SITE" berta)
QUINN=$(browser token "$SITE" quinn)
export ANNA BERTA QUINN
expect 0 'fleetcast simulate --length 120d --plants 1 --circuits 4'
trained
SERVED=no
if [ "$PLATFORM" = local ]; then
    for environment in test prod; do
        fleetcast serve $environment --port 0 >"$WORK/$environment.out" 2>"$WORK/$environment.log" &
        SERVERS="$SERVERS $!"
        until_says "$WORK/$environment.out" ' at http'
    done
fi
to_test --create
to_production --create
SERVED=yes
git switch --quiet develop

# ── The five tasks ────────────────────────────────────────────────────────────────────────────────────────────

chapter '1. Update a package of the environment: it is promoted, and nothing trains'
sed -i -e 's|^version: 1.0.0|version: 1.1.0|' -e 's|numpy>=2.0|numpy>=2.1|' config/environment.yaml
committed 'Train with a newer numpy'
expect 0 'fleetcast validate --base HEAD~1'
expect 0 'fleetcast plan'
shows '3 up to date'
shows 'fleetcast-training:1.1.0'
trained
expect 0 'fleetcast plan --detailed-exitcode'

chapter '2. Update the pipeline: every circuit trains anew'
sed -i -e 's|^version: 1.0.0|version: 1.1.0|' -e 's|^  max_retries: 2|  max_retries: 3|' "$COMPONENT"
expect 0 'fleetcast bump --component-version 1.1.0'
committed 'Try a job once more'
expect 0 'fleetcast validate --base HEAD~1'
expect 2 'fleetcast plan --detailed-exitcode'
shows '3 to train'
shows 'pipeline_component_version 1.0.0 → 1.1.0'
trained

chapter '3. Add a circuit: it alone trains'
expect 0 'fleetcast circuits add PLANT001/CIRCUIT04'
committed 'Forecast the fourth circuit too'
expect 2 'fleetcast plan --detailed-exitcode'
shows '1 to train'
shows '3 up to date'
trained

chapter '4. Deploy to test: QA looks, and signs off'
to_test --quiet

chapter '5. Deploy to production: two people open it, and it is watched to its end'
to_production --quiet
expect 0 'fleetcast releases show prod/PLANT001'
shows 'CIRCUIT04'
expect 0 'fleetcast audit verify'

chapter "All as expected, on the platform $PLATFORM. Look around in $WORK"
