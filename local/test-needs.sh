#!/bin/sh
# Makes sure that the programs the tests need besides Go are on this machine:
# installs the missing ones with apt-get where that needs no password, else
# says exactly what is missing.
set -eu
PATH=$PATH:/usr/sbin:/sbin

# program or file, and the Debian packages that bring it
needs='
cc             gcc libc6-dev
mariadbd       mariadb-server-core mariadb-client-core
chromium       chromium
fc-list        fontconfig fonts-dejavu-core
python3        python3
ensurepip      python3-venv
shellcheck     shellcheck
mkfs.ext4      e2fsprogs
cloud-init     cloud-init
debootstrap    debootstrap
ip             iproute2
strace         strace
'

there() {
	case $1 in
	ensurepip) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
	mariadbd) command -v mariadbd || command -v mysqld ;;
	chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
	*) command -v "$1" ;;
	esac >/dev/null
}

missing() {
	echo "$needs" | while read -r program packages; do
		[ -z "$program" ] || there "$program" || echo "$packages"
	done | tr '\n' ' '
}

packages=$(missing)
[ -n "$packages" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
	sudo='sudo -n'
	$sudo true 2>/dev/null || sudo=none
fi
if ! command -v apt-get >/dev/null || [ "$sudo" = none ]; then
	echo "The tests need programs that are not here. On Debian or Ubuntu this brings them:" >&2
	echo "  sudo apt-get update && sudo apt-get install --no-install-recommends $packages" >&2
	exit 1
fi

echo "Installing what the tests need (only once, some minutes): $packages"
mkdir -p .local/log
log=.local/log/test-needs.log
# shellcheck disable=SC2086 # several words on purpose
if ! { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive \
	apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "apt-get failed; its whole output is in $log" >&2
	exit 1
fi
still=$(missing)
if [ -n "$still" ]; then
	echo "Installed, but still not found: $still" >&2
	exit 1
fi
