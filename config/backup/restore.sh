#!/bin/sh
# Make a server of its own from the backups, as the database was at one moment, and start it.
#
#   restore.sh FOLDER DATA PORT TARGET [BASE]
#
# DATA is a new folder for the server's data. TARGET is one of
#   time='2026-11-24 12:00:00+00'       what was committed up to then (give the time zone)
#   lsn=0/3000060                       up to this place of the WAL
#   name=before-release                 up to pg_create_restore_point('before-release')
#   latest                              all there is
# BASE is the base backup to start from; otherwise the newest that is older than the time, or the oldest for lsn and
# name, and the newest for latest.
#
# Run it as the user who is to own the data, on a machine with the same version of PostgreSQL. The new server stands
# alone: it follows nobody, waits for no standby, and archives nothing, so that it cannot harm the one it was made from.
# It does not start when the backups do not reach TARGET. Environment: PGBIN.
set -eu
folder=$1 data=$2 port=$3 target=$4 base=${5:-}
PATH="${PGBIN:+$PGBIN:}$PATH"

value=${target#*=}
kind=${target%%=*}
case $target in
time=*)
    moment=$(date -u -d "$value" +%Y%m%dT%H%M%SZ)
    : "${base:=$(ls "$folder/base" | sort | awk -v moment="$moment" '$1 < moment { found = $1 } END { print found }')}"
    ;;
lsn=* | name=*) : "${base:=$(ls "$folder/base" | sort | head -n 1)}" ;;
latest) : "${base:=$(ls "$folder/base" | sort | tail -n 1)}" ;;
*) echo "restore: $target is not time=…, lsn=…, name=… or latest" >&2 && exit 2 ;;
esac
[ -n "$base" ] || { echo "restore: no base backup is older than $value" >&2; exit 1; }
[ -d "$folder/base/$base/base" ] || { echo "restore: $folder/base/$base is no base backup" >&2; exit 1; }
[ ! -e "$data" ] || [ -z "$(ls -A "$data")" ] || { echo "restore: $data is not empty" >&2; exit 1; }

mkdir -p "$data"
chmod 700 "$data"
cp -a "$folder/base/$base/." "$data"
rm -f "$data/standby.signal" "$data/postmaster.pid" "$data/backup_manifest"
quoted() { printf '%s' "$1" | sed "s/'/''/g"; }
{
    echo "restore_command = 'cp \"$(quoted "$folder")/wal/%f\" \"%p\"'"
    [ "$kind" = latest ] || echo "recovery_target_$kind = '$(quoted "$value")'"
    echo "recovery_target_action = 'promote'"
    echo "recovery_target_timeline = 'latest'"
    echo "primary_conninfo = ''"
    echo "primary_slot_name = ''"
    echo "synchronous_standby_names = ''"
    echo "archive_command = '/bin/true'"
} >>"$data/postgresql.auto.conf"
touch "$data/recovery.signal"

echo "restore: from base backup $base up to $target"
server="-p $port -c hot_standby=off -c cluster_name=restored"
pg_ctl -D "$data" -w -s -l "$data.log" -o "$server" start || { tail -n 5 "$data.log" >&2; exit 1; }
# It takes connections once it is there; where the backups do not reach so far, it ends.
while [ "$(sed -n 8p "$data/postmaster.pid" 2>/dev/null | tr -d ' ')" != ready ]; do
    pg_ctl -D "$data" status >/dev/null || { tail -n 5 "$data.log" >&2; exit 1; }
    sleep 0.1
done
# They would stop it again if it became a standby one day.
sed -i '/^recovery_target\|^restore_command/d' "$data/postgresql.auto.conf"
echo "restore: the server on port $port is up"
