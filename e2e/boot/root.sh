#!/bin/bash
# root.sh FOLDER: makes FOLDER/tree, the root file system that the instances of a test boot from, and FOLDER/mysql.tar.xz,
# Oracle's MySQL in the layout of its own generic archive. Run as root; some 700 MB in the end.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
tree=$1/tree

# Debian unstable: the only release that has Oracle's MySQL.
debootstrap --variant=minbase sid "$tree"
mount -t proc proc "$tree/proc"
trap 'umount "$tree/proc"' EXIT
printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d" # nothing starts while it is installed
chmod 0755 "$tree/usr/sbin/policy-rc.d"
# The second line is what Amazon Linux 2023 has from the start or dnf brings.
chroot "$tree" apt-get install -y --no-install-recommends cloud-init systemd iproute2 procps e2fsprogs \
  awscli curl diffutils gzip logrotate openssl tar util-linux xfsprogs xz-utils \
  mysql-server-core mysql-client-core
chroot "$tree" apt-get clean
rm -rf "$tree"/var/lib/apt/lists/* "$tree"/usr/share/{doc,locale,man} "$tree/usr/sbin/policy-rc.d"

# The libraries stay, as if dnf had brought them; the programs go into the archive, so that what runs is what was fetched.
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
tar -C "$1" -c mysql-debian | xz -T0 -1 >"$1/mysql.tar.xz"
rm -rf "$archive"
