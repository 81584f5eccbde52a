#!/bin/sh
# Two people: a gate that opens only once two different people, who have signed in and did not ask for it themselves,
# have approved. One of them signs in with a password, the other at an identity provider, and both approve at the same
# moment.
#
#     examples/two-people/run.sh [WORK]
#
# WORK is a new folder to work in; without it, a temporary one. The identity provider is npm's oidc-provider, on this
# machine. Every command is shown before it runs and must end with the exit code stated; otherwise the script stops and
# ends with 1.
set -eu

. "$(dirname "$0")/../checks.sh"

command -v fleetcast >/dev/null || { echo 'fleetcast is not on the PATH: activate its environment' >&2; exit 1; }
EXAMPLE=$(cd "$(dirname "$0")" && pwd)
PROVIDER=$EXAMPLE/../../tests/servers/oidc
command -v node >/dev/null && [ -d "$PROVIDER/node_modules/oidc-provider" ] || {
    echo 'the identity provider is not installed: `make two-people` installs it where npm is' >&2; exit 1; }

WORK=$(new_folder "${1:-}")
OUTPUT=$(mktemp)
trap end EXIT
trap 'exit 130' INT TERM

browser() { python3 "$EXAMPLE/../browser.py" "$@"; }

# The password that everybody has; in life each has their own. Whoever makes one up is not asked for it here.
PASSWORD=$(head -c 24 /dev/urandom | base64)
export PASSWORD

# ── The fleet, and whom it believes ───────────────────────────────────────────────────────────────────────────

chapter 'An identity provider'
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
ISSUER=http://127.0.0.1:$PORT
(cd "$PROVIDER" && exec node provider.mjs "{\"port\": $PORT}") >"$WORK/provider.log" 2>&1 &
SERVERS=$!
until_says "$WORK/provider.log" "listening at"

chapter 'A fleet whose gate asks for two of four people who have signed in, and not for who asked'
fleetcast init "$WORK/fleet" >/dev/null
cd "$WORK/fleet"
RULE='{approvers: [anna, berta, carl, dora], minimum: 2, own_request: forbidden, verified: true}'
sed -i "s|^  registry-promotion: .*|  registry-promotion: $RULE|" fleetcast.yaml
cat >>fleetcast.yaml <<EOF

sign_in:
  oidc: {client_id: fleetcast, issuer: $ISSUER, allowed_networks: [127.0.0.1/32]}
EOF
grep -n -A 1 -e 'registry-promotion:' -e '^sign_in:' fleetcast.yaml
expect 0 'fleetcast simulate --plants 1 --circuits 1 --length 365d'

chapter 'The server prints a link for the first admin, who chooses a password'
fleetcast web --port 0 >"$WORK/web.out" 2>"$WORK/web.log" &
SERVERS="$SERVERS $!"
until_says "$WORK/web.out" 'once: '
SITE=$(sed -n 's/^fleetcast web at //p' "$WORK/web.out")
LINK=$(sed -n 's/.*once: //p' "$WORK/web.out")
expect 0 'browser link "$LINK" dora'
expect 1 'browser link "$LINK" eve'
shows 'this link was used'

chapter 'The admin puts people on record; two choose a password, one has an account at the provider'
DORA=$(browser token "$SITE" dora)
export FLEETCAST_TOKEN="$DORA"
expect 0 'fleetcast whoami'
expect 0 'fleetcast people add anna --role engineer --role approver'
expect 0 'fleetcast people add berta --role approver'
expect 0 'fleetcast people add carl --role approver --oidc "$ISSUER" carl'
for name in anna berta; do
    LINK=$(fleetcast people invite "$name" --url "$SITE" 2>/dev/null)
    expect 0 'browser link "$LINK"'
done

# ── A run, and its approval ───────────────────────────────────────────────────────────────────────────────────

chapter 'Anna runs the pipeline, and cannot approve what she asked for'
ANNA=$(browser token "$SITE" anna)
export FLEETCAST_TOKEN="$ANNA"
expect 0 'fleetcast whoami'
expect 3 'fleetcast train'
expect 0 'fleetcast approvals list'
expect 1 'fleetcast approve 1 2'
expect 1 'browser approve "$SITE" 2 anna'

chapter 'Nor does somebody count who says that they are somebody else'
unset FLEETCAST_TOKEN
expect 1 'LOGNAME=berta USER=berta fleetcast approve 1 2'

chapter 'Berta and Carl sign in, and approve at the same moment'
expect 0 'browser approve "$SITE" 1 berta at-provider:carl'
expect 0 'browser approve "$SITE" 2 berta at-provider:carl'
export FLEETCAST_TOKEN="$ANNA"
expect 0 'fleetcast approvals show 2'
shows 'approved'

chapter 'The gate is open, once'
expect 0 'fleetcast train'
expect 0 'fleetcast train'
expect 0 'fleetcast plan --detailed-exitcode'
expect 0 'fleetcast forecast PLANT001/CIRCUIT01'
expect 0 'fleetcast audit list --last 1000 --format json | grep -o "\"action\": \"[a-z.]*\"" | sort | uniq -c'
for once in environment.shared model.shared; do
    grep -qE "^ +1 .*\"$once\"" "$OUTPUT" || fail "$once is not there exactly once"
done

chapter 'What an auditor reads'
expect 0 'fleetcast audit verify'
expect 0 'fleetcast audit report'
shows 'could     berta, carl, dora'
shows 'approve   berta (verified, password: berta)'
shows "approve   carl (verified, oidc: issuer $ISSUER subject carl)"
shows 'refused   anna'

chapter "All as expected. Look around in $WORK"
