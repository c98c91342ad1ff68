#!/bin/sh
# Let running standbys follow another primary.
#
#   point.sh NODES PRIMARY STANDBY…
#
# Environment: PGBIN, PGPASSFILE, REPLICATION_USER.
set -u
nodes=$1 primary=$2
shift 2
PATH="${PGBIN:+$PGBIN:}$PATH"
export PGCONNECT_TIMEOUT=2 PGDATABASE=postgres PGUSER="${PGUSER:-postgres}"

field() { awk -v id="$1" -v n="$2" '$1 == id { print $n }' "$nodes"; }
where="host=$(field "$primary" 2) port=$(field "$primary" 3) user=${REPLICATION_USER:-repl} passfile=$PGPASSFILE"
for id in "$@"; do
    timeout 10 psql -XAtqw -h "$(field "$id" 2)" -p "$(field "$id" 3)" \
        -c "ALTER SYSTEM SET primary_conninfo = '$where'" -c 'SELECT pg_reload_conf()' >/dev/null
done
