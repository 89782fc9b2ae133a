#!/bin/bash
# Checks the database instance: one line each, and what to look at. Run as root.
# Names and functions are those of boot.sh, whose last line, the call of main, is left out.
# shellcheck disable=SC2317 # that call would end the script
BOOT=${BOOT:-/opt/vinfast/boot.sh}
# shellcheck source=database.sh
. <(head -n -1 "$BOOT")
set +e
failed=0

# check WHAT ADVICE COMMAND...: what the command prints is shown when it fails.
check() {
  local what=$1 advice=$2 out
  shift 2
  if out=$("$@" 2>&1); then
    echo "ok      $what"
  else
    printf 'FAILED  %s: %s\n%s\n' "$what" "$advice" "${out:0:600}"
    failed=1
  fi
}

# The value stays in here; an argument could be seen by every process.
password_works() {
  local value
  value=$(parameter "$PASSWORD_PARAMETER") &&
    MYSQL_PWD=$value timeout 20 "$MYSQL/bin/mysql" --host="$ADDRESS" --user="$DATABASE_USER" \
      --ssl-mode=VERIFY_CA --ssl-ca="$TLS/ca.pem" --execute='SELECT 1' "$DATABASE"
}

ca_is_published() { [[ "$(parameter "$CA_PARAMETER")" == "$(cat "$TLS/ca.pem")" ]]; }

has_room() { [[ $(df --output=pcent "$DATA" | tr -dc 0-9) -lt 90 ]]; }

active() { systemctl is-active "$1"; }

log=$LOG_DIR/error.log
check boot 'journalctl -u vinfast-boot' active vinfast-boot
check "data volume" 'lsblk; journalctl -u vinfast-boot' mountpoint "$DATA"
check room 'df -h; raise database.volumeGiB' has_room
check MySQL "$log" active vinfast-mysql
check certificate 'systemctl restart vinfast-boot' server_certificate_holds
check "CA parameter" 'systemctl restart vinfast-boot' ca_is_published
check "login with the parameter's password" 'systemctl restart vinfast-boot' password_works
check "last dump" 'journalctl -u vinfast-dump' test "$(systemctl show -P Result vinfast-dump)" = success
check "log agent" 'systemctl status amazon-cloudwatch-agent' active amazon-cloudwatch-agent
exit $failed
