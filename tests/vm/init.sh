#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# The first process of a guest, from the initramfs: mounts the machine's root,
# which it can read and not write, under a tmpfs, and goes there. Its settings,
# written by guest.py: checkout cache release now modules.
/bin/busybox --install -s /bin
. /settings

die() { echo "guest: $*"; poweroff -f; }
share() { mount -t 9p -o "$1,trans=virtio,version=9p2000.L,msize=512000,access=any" "$2" "$3" || die "no share $2"; }

mkdir -p /proc /sys /machine /over /root /kept/checkout /kept/cache
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in $modules; do insmod "/$module" || die "cannot load $module"; done
date -s "@$now" >/dev/null
stty -onlcr </dev/console

share ro,cache=loose machine /machine
mount -t tmpfs -o size=75% over /over
mkdir /over/upper /over/work
# xino: a file's device is one number for stat(2) and in the kernel, as on an ordinary disk.
mount -t overlay -o xino=on,lowerdir=/machine,upperdir=/over/upper,workdir=/over/work root /root || die "no overlay"

mount -t proc proc /root/proc
mount -t sysfs sysfs /root/sys
mount --move /dev /root/dev
mkdir -p /root/dev/pts /root/dev/shm
mount -t devpts devpts /root/dev/pts
mount -t tmpfs shm /root/dev/shm
ln -sf /proc/self/fd /root/dev/fd
mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
mount -t bpf bpf /root/sys/fs/bpf
mount -t debugfs debugfs /root/sys/kernel/debug
mount -t tracefs tracefs /root/sys/kernel/tracing
mount -t securityfs securityfs /root/sys/kernel/security

# Checkout and cache may lie where a tmpfs goes.
mount --bind "/root$checkout" /kept/checkout || die "no $checkout on the machine"
mount --bind "/root$cache" /kept/cache || die "no $cache on the machine"
mount -t tmpfs -o mode=755 run /root/run
mount -t tmpfs -o mode=1777 tmp /root/tmp
mkdir -p "/root$checkout" "/root$cache" /root/run/results "/root/lib/modules/$release"
mount --move /kept/checkout "/root$checkout"
mount --move /kept/cache "/root$cache"
share rw,cache=none results /root/run/results
# Over what the machine may have there itself: a guest has no kernel headers.
share ro,cache=loose modules "/root/lib/modules/$release"

hostname guest
ip link set lo up
export checkout AGENT_SENSOR_CACHE="$cache"
exec switch_root /root /bin/sh "$checkout/tests/vm/inside.sh"
