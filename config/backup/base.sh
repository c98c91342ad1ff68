#!/bin/sh
# Take a base backup while the server works, prove it readable, and forget what is too old.
#
#   base.sh FOLDER [KEEP]
#
# KEEP is how many base backups stay, 7 unless told; WAL that none of them needs goes. From a standby as well as from the
# primary: PGHOST, PGPORT, PGUSER (who may replicate) and PGPASSFILE say where, PGBIN where the programs are. Prints the
# folder of the backup.
set -eu
folder=$1 keep=${2:-7}
PATH="${PGBIN:+$PGBIN:}$PATH"

umask 077
mkdir -p "$folder/base"
exec 9>"$folder/base.lock"
flock -n 9 || { echo "base: another one is being taken" >&2; exit 1; }
rm -rf "$folder/base/.new"
pg_basebackup -w -X stream -c fast -D "$folder/base/.new" >&2
pg_verifybackup -q "$folder/base/.new" >&2
# Called by when it was done: it can be rolled on to any later moment, and to no earlier one.
name=$(date -u +%Y%m%dT%H%M%SZ)
mv -T "$folder/base/.new" "$folder/base/$name"
sync "$folder/base"

ls "$folder/base" | sort -r | tail -n +"$((keep + 1))" | while read -r old; do
    rm -rf "$folder/base/${old:?}"
done
oldest=$(ls "$folder/base" | sort | head -n 1)
first=$(sed -n 's/^START WAL LOCATION: .* (file \([0-9A-F]*\))$/\1/p' "$folder/base/$oldest/backup_label")
if [ -d "$folder/wal" ] && [ -n "$first" ]; then
    pg_archivecleanup "$folder/wal" "$first" >&2
fi
echo "$folder/base/$name"
