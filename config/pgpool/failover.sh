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
set -u
nodes=$1 down=$2 primary=$3
PATH="${PGBIN:+$PGBIN:}$PATH"
export PGCONNECT_TIMEOUT=2 PGDATABASE=postgres PGUSER="${PGUSER:-postgres}"

say() { echo "$(date -u +%FT%TZ) failover: $*"; }
field() { awk -v id="$1" -v n="$2" '$1 == id { print $n }' "$nodes"; }
ask() { timeout 10 psql -XAtqw -h "$(field "$1" 2)" -p "$(field "$1" 3)" -c "$2" 2>/dev/null; }

exec 9>"$nodes.lock"
flock 9

if [ "$primary" = -1 ]; then
    for id in $(awk '{ print $1 }' "$nodes"); do
        [ "$id" = "$down" ] && continue
        if [ "$(ask "$id" 'SELECT pg_is_in_recovery()')" = f ]; then
            say "node $id is primary already"
            exit 0
        fi
    done
    primary=$down
fi
if [ "$down" != "$primary" ]; then
    say "standby $down is gone; nothing to do"
    exit 0
fi

# A second call for the same loss finds the work done.
for id in $(awk '{ print $1 }' "$nodes"); do
    [ "$id" = "$primary" ] && continue
    if [ "$(ask "$id" 'SELECT pg_is_in_recovery()')" = f ]; then
        say "node $id was promoted already"
        exit 0
    fi
done

say "fencing node $primary"
if [ -n "${FENCE_COMMAND:-}" ]; then
    $FENCE_COMMAND "$(field "$primary" 2)" "$(field "$primary" 3)" || { say "the fence failed; nobody is promoted"; exit 1; }
else
    postmaster=$(head -n 1 "$(field "$primary" 4)/postmaster.pid" 2>/dev/null)
    if [ -n "$postmaster" ]; then
        kill -9 $(pgrep -P "$postmaster") "$postmaster" 2>/dev/null
    fi
fi

live=""
for id in $(awk '{ print $1 }' "$nodes"); do
    [ "$id" = "$primary" ] && continue
    if [ "$(ask "$id" 'SELECT pg_is_in_recovery()')" = t ]; then
        live="$live $id"
        ask "$id" "ALTER SYSTEM SET primary_conninfo = ''" && ask "$id" 'SELECT pg_reload_conf()' >/dev/null
    fi
done
[ -n "$live" ] || { say "no standby answers"; exit 1; }

best="" most=-1
for id in $live; do
    for _ in $(seq 50); do
        [ "$(ask "$id" 'SELECT count(*) FROM pg_stat_wal_receiver')" = 0 ] && break
        sleep 0.05
    done
    # How far it has come, in bytes: what it received or, if that is nothing since its start, what it replayed.
    at=$(ask "$id" "SELECT pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')")
    say "node $id has $at"
    if [ -n "$at" ] && [ "$(printf '%s > %s\n' "$at" "$most" | awk '{ print ($1 > $3) }')" = 1 ]; then
        best=$id most=$at
    fi
done
[ -n "$best" ] || { say "no standby says how far it is"; exit 1; }

say "promoting node $best"
[ "$(ask "$best" 'SELECT pg_promote(true, 30)')" = t ] || { say "node $best was not promoted"; exit 1; }
for id in $(awk '{ print $1 }' "$nodes"); do
    [ "$id" = "$best" ] && continue
    slot="s_$(field "$id" 5)"
    ask "$best" "SELECT pg_create_physical_replication_slot('$slot', true)
        WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$slot')" >/dev/null
done
"$(dirname "$0")/point.sh" "$nodes" "$best" $(for id in $live; do [ "$id" = "$best" ] || echo "$id"; done)
# pg_rewind wants a checkpoint of the new timeline.
ask "$best" CHECKPOINT >/dev/null &
say "node $best is primary"
