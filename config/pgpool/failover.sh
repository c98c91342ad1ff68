#!/bin/sh
# Make one standby the primary after the primary has gone. Run by pgpool-II as failover_command, by
# config.cluster.watch where there is no pgpool, or by hand; any number of times, on any node that has the files.
#
#   failover.sh NODES DOWN PRIMARY      NODES: a file of lines "id host port data-folder name"
#
# DOWN is the node that was lost and PRIMARY the one that was primary, or -1 where the caller does not know. The order is:
# fence the old primary, seal the standbys off from it, compare what they have, promote the one that has most, give it
# slots, point the others at it. The one that has most holds every commit that was acknowledged; the synchronous standby
# need not be it.
#
# FENCE_COMMAND is called with host and port of the old primary and must not return before that machine can no longer
# answer (power off, network off). Without it, the server is killed on this machine.
# Environment: PGBIN, PGPASSFILE, PGUSER (a superuser), FENCE_COMMAND.
#
# Nobody can write meanwhile, so it starts as few programs as it can.
set -u
nodes=$1 down=$2 primary=$3
PATH="${PGBIN:+$PGBIN:}$PATH"
export PGCONNECT_TIMEOUT=2 PGDATABASE=postgres PGUSER="${PGUSER:-postgres}"

say() { echo "$(date -u +%FT%T.%3NZ) failover: $*"; }
# Sets host, port, data and name of a node.
look_up() {
    while read -r id host port data name; do
        [ "$id" = "$1" ] && return 0
    done <"$nodes"
    return 1
}
ask() {
    look_up "$1" || return 1
    shift
    timeout "${patience:-10}" psql -XAtqw -h "$host" -p "$port" "$@" 2>/dev/null
}
fence() {
    say "fencing node $1"
    look_up "$1" || return 1
    if [ -n "${FENCE_COMMAND:-}" ]; then
        $FENCE_COMMAND "$host" "$port"
        return
    fi
    postmaster=$(head -n 1 "$data/postmaster.pid" 2>/dev/null)
    if [ -n "$postmaster" ]; then
        kill -9 $(pgrep -P "$postmaster") "$postmaster" 2>/dev/null
    fi
    return 0
}

exec 9>"$nodes.lock"
flock 9

unknown=""
[ "$primary" = -1 ] && unknown=yes primary=$down
if [ "$down" != "$primary" ]; then
    say "standby $down is gone; nothing to do"
    exit 0
fi

live="" lost=$primary
while read -r each _; do
    [ "$each" = "$primary" ] && continue
    case $(ask "$each" -c 'SELECT pg_is_in_recovery()' </dev/null) in
    # Also what a second call for the same loss finds.
    f) say "node $each is primary already" && exit 0 ;;
    t) live="$live $each" ;;
    # It may be the primary, where nobody knows who was.
    *) [ -n "$unknown" ] && lost="$lost $each" ;;
    esac
done <"$nodes"
[ -n "$live" ] || { say "no standby answers"; exit 1; }

for each in $lost; do
    fence "$each" || { say "the fence failed; nobody is promoted"; exit 1; }
done

for each in $live; do
    ask "$each" -c "ALTER SYSTEM SET primary_conninfo = ''" -c 'SELECT pg_reload_conf()' >/dev/null &
done
wait

# How far each has come, in bytes: what it received or, if that is nothing since its start, what it replayed.
best="" most=-1
for each in $live; do
    for _ in $(seq 50); do
        found=$(ask "$each" -c "SELECT (SELECT count(*) FROM pg_stat_wal_receiver),
            pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')")
        [ "${found%|*}" = 0 ] && break
        sleep 0.05
    done
    at=${found#*|}
    say "node $each has $at"
    [ "${at:--1}" -gt "$most" ] && best=$each most=$at
done
[ -n "$best" ] || { say "no standby says how far it is"; exit 1; }

say "promoting node $best"
slots="" others=""
while read -r each _ _ _ name; do
    [ "$each" = "$best" ] || slots="${slots:+$slots,}s_$name"
done <"$nodes"
for each in $live; do
    [ "$each" = "$best" ] || others="$others $each"
done
case $(patience=35 ask "$best" -c 'SELECT pg_promote(true, 30)' -c "SELECT pg_create_physical_replication_slot(name, true)
    FROM unnest(string_to_array('$slots', ',')) AS name
    WHERE name NOT IN (SELECT slot_name FROM pg_replication_slots)") in
t*) ;;
*) say "node $best was not promoted" && exit 1 ;;
esac
"$(dirname "$0")/point.sh" "$nodes" "$best" $others
# pg_rewind wants a checkpoint of the new timeline.
ask "$best" -c CHECKPOINT >/dev/null 2>&1 &
say "node $best is primary"
