#!/bin/bash
# Brings a web instance up: at every boot, again and again until it succeeds.
set -euo pipefail

COMMON=${COMMON:-/opt/vinfast/common.sh}
BINARY=${BINARY:-/opt/vinfast/bin/vinfast}
SHARED_DIR=${SHARED_DIR:-/srv/vinfast}
MOUNT_UNIT=${MOUNT_UNIT:-srv-vinfast.mount}
LOG_DIR=${LOG_DIR:-/var/log/vinfast}
INSTANCE_ID_FILE=${INSTANCE_ID_FILE:-/var/lib/cloud/data/instance-id}

# shellcheck source=common.sh
. "$COMMON"

# The same ids as the access point's: what it writes to the shared files is its own.
make_user() {
  getent group vinfast >/dev/null || groupadd --gid "$APP_ID" vinfast
  getent passwd vinfast >/dev/null ||
    useradd --uid "$APP_ID" --gid "$APP_ID" --no-create-home --home-dir / --shell /sbin/nologin vinfast
  install -d -o vinfast -g vinfast -m 0750 "$LOG_DIR"
}

# A mount target's name resolves some time after it was made.
mount_shared() {
  local try
  mkdir -p "$SHARED_DIR"
  for ((try = 1; try <= 12; try++)); do
    if mountpoint -q "$SHARED_DIR" || { systemctl start "$MOUNT_UNIT" && mountpoint -q "$SHARED_DIR"; }; then
      return
    fi
    say "shared files are not there yet (try $try)"
    sleep "$RETRY_SECONDS"
  done
  say "gave up mounting $SHARED_DIR for now"
  return 1
}

fetch_app() {
  fetch "$APP_KEY" "$APP_SHA256" "$BINARY"
  chmod 0755 "$BINARY"
}

# The log file's name holds the instance id, so that logs of several instances stay apart.
start_app() {
  local log
  log=$LOG_DIR/$(tr -dc 'a-z0-9-' <"$INSTANCE_ID_FILE").log
  echo "VINFAST_LOG_FILE=$log" >"$ETC/instance.env"
  systemctl start vinfast.service
  ship_log "$log"
}

main() {
  trap wake_session_manager EXIT
  install_packages amazon-cloudwatch-agent amazon-efs-utils awscli-2 logrotate
  systemctl enable --now logrotate.timer
  make_user
  mount_shared
  fetch_app
  start_app
}

main
