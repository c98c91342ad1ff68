#!/bin/sh
# One of three PostgreSQL servers: makes it the first time, and starts it as what it ought to be now.
#
# The first of NODES begins as primary, the others as its standbys. A server that was primary when it went comes back as
# a standby of whoever has been promoted since: one that is simply started would take itself for the primary still.
set -eu
here=$(dirname "$0")
. "$here/nodes.sh"
first=${NODES%%@*} mine="$DATA/$NODE/data" making="$DATA/$NODE/making"
look_up() { awk -v name="$1" -v n="$2" '$5 == name { print $n }' "$nodes"; }
timeline() { pg_controldata -D "$1" 2>/dev/null | awk -F: '/checkpoint.s TimeLineID/ { print $2 + 0 }'; }

make_primary() {
    echo "$POSTGRES_ADMIN_PASSWORD" >"$RUN/password"
    initdb -k -E UTF8 --locale=C.UTF-8 -A scram-sha-256 -U postgres --pwfile="$RUN/password" -D "$making" >/dev/null
    rm "$RUN/password"
    cat >>"$making/postgresql.conf" <<CONF
listen_addresses = '${LISTEN:-*}'
unix_socket_directories = '$RUN'
max_connections = 300
shared_buffers = 256MB
wal_log_hints = on
max_wal_senders = 10
max_replication_slots = 10
wal_keep_size = 64MB
max_slot_wal_keep_size = 2GB
# The same text everywhere: a node is never its own standby.
synchronous_standby_names = 'FIRST 1 ($names)'
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
wal_retrieve_retry_interval = 500ms
CONF
    cat >"$making/pg_hba.conf" <<HBA
local all         all                 scram-sha-256
host  all         all  ${ALLOWED_ADDRESSES:-samenet}  scram-sha-256
host  replication repl ${ALLOWED_ADDRESSES:-samenet}  scram-sha-256
HBA
    pg_ctl -D "$making" -w -s -o "-p $port -c listen_addresses= -c synchronous_standby_names=" start
    psql -XAtq -v ON_ERROR_STOP=1 -h "$RUN" -p "$port" -v app="$POSTGRES_PASSWORD" -v admin="$POSTGRES_ADMIN_PASSWORD" <<'SQL'
CREATE ROLE repl LOGIN REPLICATION PASSWORD :'admin';
CREATE ROLE hc LOGIN PASSWORD :'admin';
GRANT pg_monitor TO hc;
CREATE ROLE guildhall LOGIN PASSWORD :'app';
CREATE DATABASE guildhall OWNER guildhall;
SQL
    pg_ctl -D "$making" -w -s -m fast stop
    mv "$making" "$mine"
}

find_primary() {
    while read -r _ host from _ name; do
        [ "$name" = "$NODE" ] && continue
        [ "$(timeout 5 psql -XAtqw -h "$host" -p "$from" -c 'SELECT pg_is_in_recovery()' 2>/dev/null </dev/null)" = f ] && return 0
    done <"$nodes"
    return 1
}

make_standby() {
    until find_primary; do sleep 1; done
    psql -XAtqw -h "$host" -p "$from" -c "SELECT pg_create_physical_replication_slot('s_$NODE', true)
        WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 's_$NODE')" >/dev/null
    pg_basebackup -h "$host" -p "$from" -U repl -D "$making" -S "s_$NODE" -X stream -c fast
    echo "primary_conninfo = 'host=$host port=$from user=repl passfile=$PGPASSFILE'" >>"$making/postgresql.auto.conf"
    touch "$making/standby.signal"
    mv "$making" "$mine"
}

# Whether somebody was promoted after this one was primary last: a later timeline tells, also while that one is down.
was_succeeded() {
    [ -f "$mine/standby.signal" ] && return 1
    for each in "$DATA"/*/data; do
        [ "$each" = "$mine" ] || [ -f "$each/standby.signal" ] && continue
        [ "$(timeline "$each")" -gt "$(timeline "$mine")" ] 2>/dev/null && return 0
    done
    return 1
}

# Whole or not at all: a server that was killed while it was made is made again.
rm -rf "$making"
if [ ! -d "$mine" ]; then
    if [ "$NODE" = "$first" ]; then make_primary; else make_standby; fi
elif was_succeeded; then
    until "$here/rejoin.sh" "$nodes" "$(look_up "$NODE" 1)"; do sleep 2; done
    pg_ctl -D "$mine" -w -s -m fast stop
fi
# A server that was killed leaves it behind, with the id of a process that may be another by now.
rm -f "$mine/postmaster.pid"
exec postgres -D "$mine" -p "$port" -c unix_socket_directories="$RUN" -c cluster_name="$NODE" -c primary_slot_name="s_$NODE"
