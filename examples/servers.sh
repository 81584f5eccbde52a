# Servers that examples start for their own purpose, on this machine; sourced after checks.sh. All end with the example.

# as_postgres COMMAND: the server refuses to be run by root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then su -s /bin/sh postgres -c "cd '$POSTGRES' && $1"; else sh -c "cd '$POSTGRES' && $1"; fi
}

# start_postgresql: a PostgreSQL server with an empty database; its address is in DATABASE.
POSTGRES=
start_postgresql() {
    BINARIES=$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1)
    [ -n "$BINARIES" ] || { echo 'PostgreSQL is not installed: apt-get install postgresql' >&2; exit 1; }
    BINARIES=$(dirname "$BINARIES")
    POSTGRES=$(mktemp -d)
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    DATABASE=postgresql://fleet@127.0.0.1:$port/postgres
    [ "$(id -u)" != 0 ] || chown postgres: "$POSTGRES"
    as_postgres "'$BINARIES/initdb' -D data -U fleet -A trust -E UTF8 --locale=C >/dev/null"
    as_postgres "'$BINARIES/pg_ctl' start -w -D data -l log -o '-p $port -c listen_addresses=127.0.0.1 -k $POSTGRES' >/dev/null"
}

# start_azure KEY: what stands for Azure, with three workspaces, a registry and a storage account. WORK/azure.env leads
# a process there. Containers that serve check what vouches for releases by the fleet's key; in Azure, by keys in
# fleetcast.yaml.
start_azure() {
    (
        cd "$PROJECT"
        FLEETCAST_SIGNING_KEY="$1" exec python -m tests.azure_emulator --state "$WORK/azure" --containers --jobs 2 \
            --workspace fleetcast-dev --workspace fleetcast-test --workspace fleetcast-prod --registry fleet-registry \
            --storage fleetaccount/fleet
    ) >"$WORK/azure.env" 2>"$WORK/azure.log" &
    SERVERS="$SERVERS $!"
    until_says "$WORK/azure.env" AZURE_ALLOW_HTTP
}

# ends servers.sh's servers, and then those of checks.sh.
end_servers() {
    end
    [ -z "$POSTGRES" ] || as_postgres "'$BINARIES/pg_ctl' stop -D data -m immediate >/dev/null 2>&1" || true
    [ -z "$POSTGRES" ] || rm -rf "$POSTGRES"
}

# start_web ENV: pages and API, where SITE says; dora, who manages people, is signed in by DORA. Everybody's password is
# in PASSWORD; in life each has their own. ENV is a file of variables to read first.
start_web() {
    PASSWORD=$(head -c 24 /dev/urandom | base64)
    export PASSWORD
    (. "$1" && exec fleetcast web --port 0) >"$WORK/web.out" 2>"$WORK/web.log" &
    SERVERS="$SERVERS $!"
    until_says "$WORK/web.out" 'once: '
    SITE=$(sed -n 's/^fleetcast web at //p' "$WORK/web.out")
    browser link "$(sed -n 's/.*once: //p' "$WORK/web.out")" dora
    DORA=$(browser token "$SITE" dora)
}

browser() { python3 "$PROJECT/examples/browser.py" "$@"; }
