#!/bin/bash
# root.sh FOLDER: makes FOLDER/tree, the root file system that the instances of a test boot from, FOLDER/mysql.tar.xz,
# Oracle's MySQL in the layout of its own generic archive, and FOLDER/versions, the packages that a boot depends on. Run as
# root; some 700 MB in the end.
set -euo pipefail
tree=$1/tree log=$1/log
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# What runs in the tree gets this and nothing else: a folder for temporary files, say, need not be there.
clean=(env -i PATH="$PATH" HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive)
for name in http_proxy https_proxy no_proxy; do
  [[ -z ${!name:-} ]] || clean+=("$name=${!name}")
done

# Debian unstable changes every day. Whoever reads of a failure is told where it comes from.
doing="prepare the installation"
explain() {
  status=$?
  exec >&3 2>&4
  wait "$tee"
  ! mountpoint -q "$tree/proc" || umount "$tree/proc"
  [[ $status != 0 ]] || exit 0
  if grep -qiE -e "failed (to fetch|getting release)" -e "couldn't (download|retrieve)" \
    -e "could not (resolve|connect)" -e "hash sum mismatch" "$log"; then
    echo "The Debian mirror failed, not the program under test: it could not $doing. Try again later or see to the network."
  elif [[ $doing != prepare* ]]; then
    echo "Debian unstable has changed, not the program under test: it could not $doing. Try again tomorrow, since" \
      "unstable often mends itself; if it stays, e2e/boot/root.sh has to follow."
  fi >&2
  exit "$status"
}
mkdir -p "$tree"
exec 3>&1 4>&2 > >(tee "$log") 2>&1
tee=$!
trap explain EXIT

# The only release that has Oracle's MySQL.
doing="install the base system with debootstrap"
"${clean[@]}" debootstrap --variant=minbase sid "$tree"
mount -t proc proc "$tree/proc"
printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d" # nothing starts while it is installed
chmod 0755 "$tree/usr/sbin/policy-rc.d"
doing="install cloud-init, systemd, MySQL and what else an instance has"
# The second line is what Amazon Linux 2023 has from the start or dnf brings.
"${clean[@]}" chroot "$tree" apt-get install -y --no-install-recommends -o Acquire::Retries=3 \
  cloud-init systemd iproute2 procps e2fsprogs \
  awscli curl diffutils gzip logrotate openssl tar util-linux xfsprogs xz-utils \
  mysql-server-core mysql-client-core
# shellcheck disable=SC2016 # dpkg's own variables
"${clean[@]}" chroot "$tree" dpkg-query --show --showformat='${source:Package} ${Version}\n' \
  awscli cloud-init mysql-server-core systemd util-linux xfsprogs | sort -u >"$1/versions"
"${clean[@]}" chroot "$tree" apt-get clean
rm -rf "$tree"/var/lib/apt/lists/* "$tree"/usr/share/{doc,locale,man} "$tree/usr/sbin/policy-rc.d"

# The libraries stay, as if dnf had brought them; the programs go into the archive, so that what runs is what was fetched.
doing="find MySQL's files where its Debian packages had them"
archive=$1/mysql-debian
mkdir -p "$archive"/{bin,lib/mysql,share}
mv "$tree/usr/sbin/mysqld" "$tree"/usr/bin/mysql* "$archive/bin/"
mv "$tree/usr/lib/mysql/plugin" "$archive/lib/plugin"
cp -a "$tree/usr/share/mysql/." "$archive/share/"
rm -rf "$tree/usr/lib/mysql" "$tree/usr/share/mysql" "$tree/etc/mysql"
# Debian's build looks one folder further down than Oracle's.
ln -s ../plugin "$archive/lib/mysql/plugin"
ln -s . "$archive/share/mysql"
mkdir -m 0700 "$tree/var/lib/mysql-files" # of Debian's build alone: Oracle's has no such folder and needs none
doing="prepare MySQL's archive"
tar -C "$1" -c mysql-debian | xz -T0 -1 >"$1/mysql.tar.xz"
rm -rf "$archive"
