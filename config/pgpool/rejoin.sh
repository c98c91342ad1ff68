#!/bin/sh
# Bring a node back as a standby of whoever is primary now. The only thing that may start a node that was lost: an old
# primary that is started as it is would take itself for one.
#
#   rejoin.sh NODES NODE                run it on the machine of NODE, as the user of its data
#
# Safe to run again. Environment: PGBIN, PGPASSFILE, REPLICATION_USER.
set -eu
nodes=$1 node=$2
PATH="${PGBIN:+$PGBIN:}$PATH"
export PGCONNECT_TIMEOUT=2 PGDATABASE=postgres PGUSER="${PGUSER:-postgres}"

field() { awk -v id="$1" -v n="$2" '$1 == id { print $n }' "$nodes"; }
ask() { timeout 10 psql -XAtqw -h "$(field "$1" 2)" -p "$(field "$1" 3)" -c "$2" 2>/dev/null || true; }
data=$(field "$node" 4) name=$(field "$node" 5)

primary=""
for id in $(awk '{ print $1 }' "$nodes"); do
    [ "$id" != "$node" ] && [ "$(ask "$id" 'SELECT pg_is_in_recovery()')" = f ] && primary=$id
done
[ -n "$primary" ] || { echo "rejoin: no node is primary" >&2; exit 1; }
ask "$primary" "SELECT pg_create_physical_replication_slot('s_$name', true)
    WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 's_$name')" >/dev/null

start() {
    echo "primary_conninfo = 'host=$(field "$primary" 2) port=$(field "$primary" 3) user=${REPLICATION_USER:-repl} passfile=$PGPASSFILE'" \
        >>"$data/postgresql.auto.conf"
    touch "$data/standby.signal"
    pg_ctl -D "$data" -w -s -l "$data.log" \
        -o "-p $(field "$node" 3) -c cluster_name=$name -c primary_slot_name=s_$name" start
}
streams() {
    for _ in $(seq 100); do
        [ "$(ask "$node" "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")" = 1 ] && return 0
        sleep 0.1
    done
    return 1
}

# A server that was killed counts as running until its parent has taken notice.
for _ in $(seq 100); do
    postmaster=$(head -n 1 "$data/postmaster.pid" 2>/dev/null || true)
    case $(ps -o state= -p "${postmaster:-0}" 2>/dev/null) in Z*) sleep 0.1 ;; *) break ;; esac
done
if pg_ctl -D "$data" status >/dev/null 2>&1; then
    pg_ctl -D "$data" -m fast -s -w stop
fi
rm -f "$data/postmaster.pid"
if [ -f "$data/standby.signal" ]; then
    start
    streams && exit 0
    pg_ctl -D "$data" -m fast -s -w stop
    rm -f "$data/standby.signal"
fi
ask "$primary" CHECKPOINT >/dev/null
pg_rewind -D "$data" --source-server="host=$(field "$primary" 2) port=$(field "$primary" 3) user=$PGUSER dbname=postgres" >/dev/null 2>&1
# The copy of the other's settings names the other's primary.
start
streams || { echo "rejoin: $name does not stream" >&2; exit 1; }
