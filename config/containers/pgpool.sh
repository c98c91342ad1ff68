#!/bin/sh
# pgpool-II before the three servers: one node, so without watchdog; settings from config/pgpool/pgpool.conf.
set -eu
here=$(dirname "$0")
. "$here/nodes.sh"
folder="$RUN" run="$RUN" listen="${LISTEN:-*}" children=${CHILDREN:-160} port=${PORT:-9999} pcp_port=${PCP_PORT:-9898}
failover="$here/failover.sh" authkey="" backends=""
while read -r id host at data name; do
    backends="$backends
backend_hostname$id = '$host'
backend_port$id = $at
backend_weight$id = 1
backend_flag$id = 'ALLOW_TO_FAILOVER'
backend_data_directory$id = '$data'
backend_application_name$id = '$name'"
done <"$nodes"
watchdogs="use_watchdog = off
failover_when_quorum_exists = off"
eval "cat <<CONF
$(grep -v '^#' "$here/pgpool.conf")
CONF" >"$RUN/pgpool.conf"
for user in postgres hc repl; do echo "$user:TEXT$POSTGRES_ADMIN_PASSWORD"; done >"$RUN/pool_passwd"
echo "guildhall:TEXT$POSTGRES_PASSWORD" >>"$RUN/pool_passwd"
echo "host all all ${ALLOWED_ADDRESSES:-0.0.0.0/0} scram-sha-256" >"$RUN/pool_hba.conf"
echo "pcp:$(printf %s "$POSTGRES_ADMIN_PASSWORD" | md5sum | cut -d ' ' -f 1)" >"$RUN/pcp.conf"
# What it finds up at its start is up; yesterday's status would keep a server out that is well.
exec pgpool -n -D -f "$RUN/pgpool.conf" -F "$RUN/pcp.conf" -a "$RUN/pool_hba.conf"
