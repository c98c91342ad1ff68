#!/bin/sh
# Keep one finished WAL file. PostgreSQL runs it:
#
#   archive_mode = on
#   archive_command = '/…/config/backup/archive.sh FOLDER %p %f'
#
# FOLDER is the backup folder, on another disk or machine than the data. A file appears there whole or not at all, and
# one that is there already is never replaced: the same again is success, another under its name is not.
set -eu
folder=$1 path=$2 file=$3

mkdir -p "$folder/wal"
if [ -e "$folder/wal/$file" ]; then
    cmp -s "$path" "$folder/wal/$file" && exit 0
    echo "archive: $folder/wal/$file is there already, and differs" >&2
    exit 1
fi
cp "$path" "$folder/wal/.$file.new"
sync "$folder/wal/.$file.new"
mv "$folder/wal/.$file.new" "$folder/wal/$file"
sync "$folder/wal"
