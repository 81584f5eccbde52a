#!/bin/sh
# Ephemeral agents: each stage in an empty directory with an empty home, with nothing but the repository and the
# address of the control database, and the key that seals its audit log. As a CI system runs it.
#
#     examples/agents/run.sh [WORK]
#
# WORK is a new folder to work in; without it, a temporary one. A PostgreSQL server is started for the purpose and
# ended again. Every command is shown before it runs and must end with the exit code stated; otherwise the script
# stops and ends with 1.
set -eu

. "$(dirname "$0")/../checks.sh"
. "$(dirname "$0")/../servers.sh"

# expect CODE COMMAND: as in checks.sh, but each command runs on an agent of its own.
#
# The agent: an empty directory, an empty home, an environment with the address, the key and nothing else. It checks the
# repository out, runs the command, and is thrown away with all that it wrote.
expect() {
    printf '\n[agent %s]$ %s\n' "$NUMBER" "$2"
    agent=$WORK/agents/$NUMBER
    NUMBER=$((NUMBER + 1))
    mkdir -p "$agent/home" "$agent/work"
    code=0
    (
        cd "$agent/work"
        env -i PATH="$PATH" HOME="$agent/home" LANG=C.UTF-8 FLEETCAST_DATABASE_URL="$DATABASE" \
            FLEETCAST_SIGNING_KEY="$KEY" REPOSITORY="$REPOSITORY" \
            sh -c "git clone --quiet \"\$REPOSITORY\" fleet && cd fleet && $2"
    ) >"$OUTPUT" 2>&1 || code=$?
    cat "$OUTPUT"
    rm -rf "$agent"
    [ "$code" -eq "$1" ] || fail "exit code $code instead of $1"
}

# ── A PostgreSQL server of our own ────────────────────────────────────────────────────────────────────────────

command -v fleetcast >/dev/null || { echo 'fleetcast is not on the PATH: activate its environment' >&2; exit 1; }
EXAMPLE=$(cd "$(dirname "$0")" && pwd)

WORK=$(new_folder "${1:-}")
OUTPUT=$(mktemp)
NUMBER=1
# All agents seal with one key, or none would believe what another has written; a CI system keeps it as a secret.
KEY=$(head -c 32 /dev/urandom | base64)
REPOSITORY=$WORK/repository

trap end_servers EXIT
trap 'exit 130' INT TERM

chapter "A PostgreSQL server, and an empty database on it"
start_postgresql
echo "FLEETCAST_DATABASE_URL=$DATABASE"

# ── The repository: what people push ──────────────────────────────────────────────────────────────────────────

chapter "A fleet repository; readings, rows and models are kept where all agents can reach them"
fleetcast init --no-git "$REPOSITORY" >/dev/null
cp "$EXAMPLE/circuits.yaml" "$REPOSITORY/config/circuits.yaml"
cd "$REPOSITORY"
# On a cluster this is abfss://, az:// or s3://; here, a folder that stands for it.
STORAGE=$(python3 -c 'import pathlib, sys; print(pathlib.Path(sys.argv[1]).as_uri())' "$WORK/storage")
sed -i "s|^  state: .fleetcast .*|&\n  storage: $STORAGE|" fleetcast.yaml
grep -n 'storage:' fleetcast.yaml
git init --quiet --initial-branch main
git config user.name 'Somebody'
git config user.email somebody@localhost
git config commit.gpgsign false
git add .
git commit --quiet -m 'Declare the fleet'

chapter 'Readings arrive'
expect 0 'fleetcast simulate --length 120d --plants 2 --circuits 3'

# ── Eight stages on eight agents ──────────────────────────────────────────────────────────────────────────────

STAGES='RegisterEnvironment PromoteEnvironment RegisterComponents RegisterData SubmitTraining MonitorTraining
    RegisterModels PromoteModels'

# stages RUN CODES: run all eight, each on an agent of its own, and insist on their exit codes. The first opens the
# run, and what it prints tells the others which; a CI system hands this on as a variable.
stages() {
    run=$1
    shift
    for name in $STAGES; do
        [ "$name" = RegisterEnvironment ] && option= || option=" --run $run"
        expect "$1" "fleetcast stage $name$option"
        shows "$run: "
        shift
    done
}

chapter 'Eight stages, eight agents: everything trains, and waits for people'
stages run-0001 0 3 0 0 0 0 0 3

chapter 'Someone approves, on a machine of their own'
expect 0 'fleetcast approvals list'
expect 0 'fleetcast approve --passing --comment "looked at skill and coverage"'

chapter 'The same eight stages on eight new agents: what was approved is shared, nothing trains again'
stages run-0001 0 0 0 0 0 0 0 0

chapter 'Once more: nothing is left to do'
stages run-0002 0 0 0 0 0 0 0 0
expect 0 'fleetcast plan --detailed-exitcode'
shows 'Nothing to do'

# ── Nothing was done twice ────────────────────────────────────────────────────────────────────────────────────

chapter 'What was done, by the audit log'
expect 0 'fleetcast audit verify'
expect 0 'fleetcast audit list --last 1000 --format json | grep -o "\"action\": \"[a-z.]*\"" | sort | uniq -c'
for once in environment.registered environment.shared component.registered; do
    grep -qE "^ +1 .*\"$once\"" "$OUTPUT" || fail "$once is not there exactly once"
done
CIRCUITS=$(fleetcast validate | grep -oE '[0-9]+ circuits?' | grep -oE '[0-9]+')
for each in data.registered model.registered model.shared; do
    grep -qE "^ +$CIRCUITS .*\"$each\"" "$OUTPUT" || fail "$each is not there once for each of $CIRCUITS circuits"
done
expect 0 'fleetcast models list'
expect 0 'fleetcast forecast PLANT001/CIRCUIT01'

chapter "All as expected: $((NUMBER - 1)) agents, nothing done twice. Look around in $WORK"
