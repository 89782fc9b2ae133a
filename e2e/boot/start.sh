#!/bin/bash
# start.sh ROOT CGROUP NAME: makes ROOT the root of this process, which is the first of a process namespace of its own, and
# becomes systemd there. The caller gives it namespaces for mounts, processes, IPC and the host's name.
set -euo pipefail
root=$1 cgroup=$2 name=$3

if [[ ${IN_CGROUP:-} != yes ]]; then
  echo 0 >"$cgroup/cgroup.procs"
  IN_CGROUP=yes exec unshare --cgroup "$0" "$@"
fi
mount --make-rprivate /
hostname "$name"
cd "$root"
mount -t proc -o nosuid,nodev,noexec proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro,nosuid,nodev,noexec proc/sys # these settings are the whole machine's
# Writable, since a systemd that finds it read-only ignores volumes in fstab.
mount -t sysfs -o nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=0755,nosuid dev dev
mount -t tmpfs -o mode=0755,nosuid,nodev run run
mount -t tmpfs -o mode=1777,nosuid,nodev tmp tmp
for device in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 0666 "dev/${device%:*}" c 1 "${device#*:}"
done
mknod -m 0666 dev/tty c 5 0
mkdir dev/pts dev/shm dev/disk dev/disk/by-id
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
# An instance has as much memory as its type says, not as the machine that runs the test.
mount --bind etc/machine-meminfo proc/meminfo
while read -r volume; do
  # shellcheck disable=SC2086 # three words
  chroot . /var/lib/machine/attach $volume
done <var/lib/machine/volumes
mkdir -p .before
pivot_root . .before
exec env -i container=vinfast PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  bash -c 'umount -l /.before && rmdir /.before && exec /usr/lib/systemd/systemd --log-target=journal --show-status=0'
