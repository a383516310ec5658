#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# The first process of a machine, from the initramfs: mounts its disk, gives it
# the modules of the kernel that runs, and starts the disk's own init. Its
# settings, written by machine.py: release now modules.
/bin/busybox --install -s /bin
. /settings

die() { echo "machine: $*"; poweroff -f; }
share() { mount -t 9p -o "$1,trans=virtio,version=9p2000.L,msize=512000,access=any" "$2" "$3" || die "no share $2"; }

mkdir -p /proc /sys /root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in $modules; do insmod "/$module" || die "cannot load $module"; done
date -s "@$now" >/dev/null

mount -t ext4 /dev/vda /root || die "no disk"
mkdir -p "/root/lib/modules/$release" /root/mnt/guest
share ro,cache=loose modules "/root/lib/modules/$release"
share rw,cache=none results /root/mnt/guest
mount --move /dev /root/dev
umount /proc /sys
exec switch_root /root /sbin/init
