#!/bin/bash
# Copies the database to the image bucket: what a crash-consistent volume backup cannot promise.
set -euo pipefail

COMMON=${COMMON:-/opt/vinfast/common.sh}
DATA=${DATA:-/data}
MYSQL=${MYSQL:-/opt/mysql}
SOCKET=${SOCKET:-/run/mysqld/mysqld.sock}

# shellcheck source=common.sh
. "$COMMON"

rm -f "$DATA"/dump.?????? # of a dump that a power cut ended
file=$(mktemp "$DATA/dump.XXXXXX")
trap 'rm -f "$file"' EXIT
# A file first: a dump that breaks off must not look like one.
"$MYSQL/bin/mysqldump" --socket="$SOCKET" --user=root --single-transaction --no-tablespaces --set-gtid-purged=OFF \
  --databases "$DATABASE" | gzip >"$file"
aws s3 cp --only-show-errors "$file" "s3://$DUMP_BUCKET/$DUMP_PREFIX$(date -u +%Y/%m/%d/%H%M%S).sql.gz"
