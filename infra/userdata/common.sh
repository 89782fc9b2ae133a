#!/bin/bash
# What both kinds of instance do at boot. Sourced by boot.sh, at every boot; each function leaves alone what is done.

ETC=${ETC:-/etc/vinfast}
STATE=${STATE:-/var/lib/vinfast}
RUN=${RUN:-/run/vinfast}
AGENT_CTL=${AGENT_CTL:-/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl}
RETRY_SECONDS=${RETRY_SECONDS:-10}

# shellcheck source=/dev/null
. "$ETC/boot.env"
export AWS_REGION AWS_DEFAULT_REGION="$AWS_REGION"
umask 022
mkdir -p "$STATE" "$RUN"

say() { echo "$*" >&2; }

# The package lists come from S3. A reboot does not need them: what is installed is written down.
install_packages() {
  [[ "$(cat "$STATE/packages" 2>/dev/null)" == "$*" ]] && return
  dnf -y install "$@"
  echo "$*" >"$STATE/packages"
}

# fetch KEY SHA256 FILE: from the artifacts bucket, unless the right file is there.
fetch() {
  has_digest "$3" "$2" && return
  mkdir -p "$(dirname "$3")"
  aws s3 cp --only-show-errors "s3://$ARTIFACT_BUCKET/$1" "$3.part"
  if ! has_digest "$3.part" "$2"; then
    rm -f "$3.part"
    say "$1 does not have the digest $2"
    return 1
  fi
  mv "$3.part" "$3"
}

has_digest() { [[ -f $1 ]] && sha256sum --check --status <<<"$2  $1"; }

# ship_log FILE: to our log group, one stream per instance. The group and its retention are there already.
ship_log() {
  cat >"$ETC/agent.json" <<END
{"agent": {"region": "$AWS_REGION"},
 "logs": {"logs_collected": {"files": {"collect_list": [
   {"file_path": "$1", "log_group_name": "$LOG_GROUP", "log_stream_name": "{instance_id}", "timezone": "UTC"}]}}}}
END
  "$AGENT_CTL" -a fetch-config -m ec2 -s -c "file:$ETC/agent.json"
}

# An agent that found no endpoint sleeps for half an hour. Waken it once per boot, also when something failed before.
wake_session_manager() {
  [[ -e $RUN/session-manager ]] && return
  touch "$RUN/session-manager"
  systemctl restart amazon-ssm-agent.service
}
