#!/bin/bash
# Checks every path from this instance: one line each, and what to look at. Run as root.
set -uo pipefail

ETC=${ETC:-/etc/vinfast}
IMDS=${IMDS:-http://169.254.169.254/latest}
RETRY_SECONDS=${RETRY_SECONDS:-5}

set -a
for file in boot app instance; do
  # shellcheck source=/dev/null
  [[ ! -r $ETC/$file.env ]] || . "$ETC/$file.env"
done
set +a
export AWS_DEFAULT_REGION=$AWS_REGION AWS_MAX_ATTEMPTS=2
failed=0

# check WHAT ADVICE COMMAND...: what the command prints is shown when it fails.
check() {
  local what=$1 advice=$2 out
  shift 2
  if out=$("$@" 2>&1); then
    echo "ok      $what"
  else
    echo "FAILED  $what: $advice"
    [[ -z $out ]] || echo "        ${out:0:600}"
    failed=$((failed + 1))
  fi
}

metadata() {
  local token
  token=$(curl -sSf -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$IMDS/api/token") &&
    curl -sSf -m 5 -H "X-aws-ec2-metadata-token: $token" "$IMDS/meta-data/$1"
}

has_role() { [[ -n $(metadata iam/security-credentials/) ]]; }

# resolves_inside HOST: every address is one of a private network.
resolves_inside() {
  local addresses
  addresses=$(getent ahostsv4 "$1" | awk '{print $1}' | sort -u)
  echo "$addresses"
  [[ -n $addresses ]] && ! grep -qvE '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.)' <<<"$addresses"
}

# The value stays in here.
password_is_set() {
  local value
  value=$(aws ssm get-parameter --name "$VINFAST_DB_PASSWORD_PARAMETER" --with-decryption --query Parameter.Value --output text) || return
  [[ -n $value && $value != unset ]] || { echo "the database instance has not filled it in"; return 1; }
}

# A line of our own must come out at the other end.
log_arrives() {
  local mark found try
  [[ -f ${VINFAST_LOG_FILE:-} ]] || { echo "the app has written no log yet"; return 1; }
  mark=doctor-$(date +%s)-$$
  echo "{\"time\":\"$(date -u +%FT%TZ)\",\"level\":\"INFO\",\"msg\":\"doctor\",\"mark\":\"$mark\"}" >>"$VINFAST_LOG_FILE"
  for ((try = 1; try <= 12; try++)); do
    sleep "$RETRY_SECONDS"
    found=$(aws logs filter-log-events --log-group-name "$LOG_GROUP" --filter-pattern "\"$mark\"" \
      --start-time "$((($(date +%s) - 600) * 1000))" --query 'length(events)' --output json) || return
    [[ $found == 0 ]] || return 0
  done
  echo "a line written a minute ago is not there"
  return 1
}

check "role of the instance" "the instance has no credentials; is the instance profile attached?" has_role
for service in logs runtime.sagemaker ssm ssmmessages; do
  check "endpoint $service" "its name must resolve inside the network; look at the VPC endpoint and its private DNS" \
    resolves_inside "$service.$AWS_REGION.amazonaws.com"
done
check "image bucket" "look at the S3 gateway's route and policy, and at the role's rights" aws s3api head-bucket --bucket "$VINFAST_BUCKET"
check "password parameter" "look at journalctl -u vinfast-boot on the database instance" password_is_set
check "log group" "look at the agent: systemctl status amazon-cloudwatch-agent" log_arrives
check "shared folder" "look at systemctl status srv-vinfast.mount" mountpoint -q "$VINFAST_SHARED_DIR"
check "app with database and model" "its answer says which one is down; look at journalctl -u vinfast" \
  curl -sS --fail-with-body -m 15 "http://127.0.0.1$VINFAST_LISTEN/readyz"

if ((failed > 0)); then
  echo "$failed of these FAILED"
  exit 1
fi
echo "everything works"
