#!/bin/bash
# Checks every path from this instance, as the app's user and with its settings.
set -euo pipefail
set -a
# shellcheck source=/dev/null
. /etc/vinfast/app.env
# shellcheck source=/dev/null
. /etc/vinfast/instance.env
exec runuser -u vinfast -- /opt/vinfast/bin/vinfast doctor "$@"
