#!/bin/bash
# Runs "vinfast doctor" as the app: with its environment, as its user. Arguments are passed on. Run as root.
set -uo pipefail

ETC=${ETC:-/etc/vinfast}
BINARY=${BINARY:-/opt/vinfast/bin/vinfast}

boot=$(systemctl is-active vinfast-boot.service)
if [[ $boot != active ]]; then
  echo "FAILED  boot: it is $boot, and tries again every 15 seconds until it succeeds. Its last lines:" >&2
  journalctl --unit=vinfast-boot --lines=15 --no-pager --output=cat >&2
fi
if [[ ! -x $BINARY || ! -r $ETC/instance.env ]]; then
  echo "FAILED  app: it is not installed yet, so nothing else can be checked" >&2
  exit 1
fi
# The files hold plain words only, as systemd reads them.
mapfile -t environment < <(grep -h = "$ETC/app.env" "$ETC/instance.env")
runuser -u vinfast -- env -i PATH="$PATH" "${environment[@]}" "$BINARY" doctor "$@" || exit
[[ $boot == active ]]
