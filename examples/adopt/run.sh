#!/bin/sh
# A team's fleet, adopted: circuits in the predecessor's layout, two models in an MLflow registry, a long Delta table.
#
#   examples/adopt/run.sh [WORK]
#
# WORK is a new folder to work in; without it, a temporary one. Every command is shown before it runs and must end
# with the exit code stated; otherwise the script stops and ends with 1.
set -eu
unset FLEETCAST_DATABASE_URL  # an example is a fleet of its own, never a team's

. "$(dirname "$0")/../checks.sh"

[ $# -le 1 ] || { echo "usage: $0 [WORK]" >&2; exit 64; }
command -v fleetcast >/dev/null || { echo 'fleetcast is not on the PATH: activate its environment' >&2; exit 1; }
python -c 'import mlflow' 2>/dev/null || { echo "MLflow is missing: pip install 'fleetcast[mlflow]'" >&2; exit 1; }

EXAMPLE=$(cd "$(dirname "$0")" && pwd)
WORK=$(new_folder "${1:-}")
OUTPUT=$(mktemp)
trap 'rm -f "$OUTPUT"' EXIT
cp "$EXAMPLE/circuits.yaml" "$EXAMPLE/historian.yaml" "$EXAMPLE/predecessor.py" "$WORK"
cd "$WORK"

chapter 'What the team has: readings in a long Delta table, two models in an MLflow registry, circuits in YAML'
expect 0 'python predecessor.py table historian'
expect 0 'python predecessor.py models historian sqlite:///mlflow.db'
expect 0 'cat circuits.yaml historian.yaml'

chapter 'Adopting: first to look, then in earnest'
FROM='--mlflow sqlite:///mlflow.db --data-source historian.yaml'
expect 0 "fleetcast adopt circuits.yaml --into fleet $FROM --dry-run"
shows 'would adopt plant001-circuit01 from MLflow registry plant001-circuit01:1'
[ ! -e fleet ] || fail 'a dry run wrote something'
expect 0 "fleetcast adopt circuits.yaml --into fleet $FROM"
shows 'adopted plant001-circuit02 from MLflow registry plant001-circuit02:1 as version 1, champion'
cd fleet
expect 0 'fleetcast data show'
expect 0 'cat config/circuits.yaml'
expect 0 'fleetcast validate'

chapter 'The first plan trains nothing'
expect 0 'fleetcast plan'
shows 'Plan: 2 up to date, 0 to train'
expect 0 'fleetcast models list'
shows '2 circuits, 2 with a model, 2 promoted'
expect 0 'fleetcast models show PLANT001/CIRCUIT01'
shows 'MLflow registry plant001-circuit01:1'

chapter 'The adopted models forecast, each in a process of its own'
expect 0 'fleetcast forecast PLANT001/CIRCUIT01 --at 2025-04-20'
shows 'plant001-circuit01:1'

chapter 'One bump trains one'
expect 0 'fleetcast bump --cutoff 2025-04-20 --delta-version 1 --circuits PLANT001/CIRCUIT01'
shows '1 circuit changed in config/circuits.yaml'
expect 2 'fleetcast plan --detailed-exitcode'
shows 'cutoff_date 2025-03-31 → 2025-04-20'
shows 'Plan: 1 to train, 1 up to date'
expect 3 'fleetcast train'
shows '1 completed'

chapter 'The challenger is held against the adopted champion'
expect 0 'fleetcast approvals list'
expect 0 'fleetcast approvals show 2'
shows 'against version 1 on'
expect 0 'fleetcast approve 1 2 --comment "held against the model we had"'
expect 0 'fleetcast train'
expect 0 'fleetcast plan --detailed-exitcode'
shows 'Plan: 2 up to date. Nothing to do.'
expect 0 'fleetcast models show PLANT001/CIRCUIT01'
expect 0 'fleetcast audit verify'

chapter "All as expected. Look around in $WORK"
