# Read by postgres.sh and pgpool.sh: the list of servers and the passwords, as files where both look for them.
#
# NODES has "name@host:port" of each server, NODE the name of this one. DATA holds a folder for each server, all of them
# in every container: who fences kills by the process id that stands there.
umask 077
DATA=${DATA:-/data} RUN=${RUN:-/run/guildhall}
PATH="$(ls -d /usr/lib/postgresql/*/bin | tail -n 1):$PATH"
export PATH PGUSER=postgres PGDATABASE=postgres PGCONNECT_TIMEOUT=2 REPLICATION_USER=repl
export PGPASSFILE="$RUN/pgpass"
nodes="$RUN/nodes" names=""
: >"$nodes"
id=0
for each in $NODES; do
    name=${each%%@*} address=${each#*@}
    echo "$id ${address%:*} ${address##*:} $DATA/$name/data $name" >>"$nodes"
    names="${names:+$names, }$name"
    [ "$name" = "${NODE:-}" ] && port=${address##*:}
    id=$((id + 1))
done
# Colons and backslashes would need escaping there; the passwords are made without (docs/running.md).
echo "*:*:*:guildhall:$POSTGRES_PASSWORD" >"$PGPASSFILE"
echo "*:*:*:*:$POSTGRES_ADMIN_PASSWORD" >>"$PGPASSFILE"
