# SPDX-License-Identifier: Apache-2.0
"""A cgroup's path tells the container, or that there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.container import container_of, is_id, short

ID = "4c01db0b339c8f1a2c8ab4c0b9f1f4f6a2b7d0f6a7e0c6e0a5f0d4f2b1c3d5e7"
OTHER = ID[::-1]
POD = "pod0d3a4b1e_5c6f_4b1a_9d8e_7f6a5b4c3d2e"
SLICE = f"kubepods-burstable-{POD}.slice"


@pytest.mark.parametrize(
    ("cgroup", "container"),
    [
        # docker: systemd, cgroupfs, a parent of one's own, systemd within
        (f"/system.slice/docker-{ID}.scope", ID),
        (f"/docker/{ID}", ID),
        (f"/builds/{ID}", ID),
        (f"/system.slice/docker-{ID}.scope/system.slice/cron.service", ID),
        # podman: root's, a user's, its monitor, split, cgroupfs
        (f"/machine.slice/libpod-{ID}.scope/container", ID),
        (f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope", ID),
        (f"/machine.slice/libpod-conmon-{ID}.scope", None),
        (f"/system.slice/web.service/libpod-payload-{ID}", ID),
        ("/system.slice/web.service/supervisor", None),
        (f"/libpod_parent/libpod-{ID}", ID),
        # Kubernetes: CRI-O, containerd, dockershim, cgroupfs, runc without systemd
        (f"/kubepods.slice/kubepods-burstable.slice/{SLICE}/crio-{ID}.scope", ID),
        (f"/kubepods.slice/kubepods-burstable.slice/{SLICE}/crio-conmon-{ID}.scope", None),
        (f"/kubepods.slice/kubepods-burstable.slice/{SLICE}/cri-containerd-{ID}.scope", ID),
        (f"/kubepods/besteffort/{POD}/{ID}", ID),
        (f"/kubepods/{POD}/{ID}", ID),
        (f"/kubepods/besteffort/{POD}", None),
        (f"/system.slice/containerd.service/{SLICE}:cri-containerd:{ID}", ID),
        # nerdctl
        (f"/system.slice/nerdctl-{ID}.scope", ID),
        # systemd-nspawn: by machined's scope, by its unit; the supervisor is outside
        ("/machine.slice/machine-box.scope/payload/system.slice/cron.service", "box"),
        ("/machine.slice/machine-build\\x2dbox.scope", "build-box"),
        ("/machine.slice/machine-box.scope/supervisor", None),
        ("/machine.slice/systemd-nspawn@box.service/payload", "box"),
        ("/machine.slice/systemd-nspawn@build\\x2dbox.service/payload", "build-box"),
        ("/machine.slice/systemd-nspawn@build-box.service", "build-box"),
        ("/machine.slice/systemd-nspawn@box.service/supervisor", None),
        # a virtual machine of libvirt's, and its container
        ("/machine.slice/machine-qemu\\x2d1\\x2dguest.scope", None),
        ("/machine.slice/machine-lxc\\x2d7\\x2dguest.scope", "lxc-7-guest"),
        # LXC before and since 4, its monitor
        ("/lxc/web", "web"),
        ("/lxc/web/system.slice/cron.service", "web"),
        ("/lxc.payload.web/init.scope", "web"),
        ("/lxc.payload.my.web_1", "my.web_1"),
        ("/lxc.monitor.web", None),
        ("/lxc", None),
        # the outermost
        (f"/docker/{ID}/kubelet/kubepods/besteffort/{POD}/{OTHER}", ID),
        (f"/docker/{ID}/docker-{OTHER}.scope", ID),
        (f"/lxc.payload.web/docker/{ID}", "web"),
        # none
        (None, None),
        ("", None),
        ("/", None),
        ("/user.slice/user-1000.slice/session-3.scope", None),
        ("/system.slice/docker.service", None),
        ("/system.slice/machine.slice", None),
        # what looks like it, and is not whole, or is more
        (f"/docker/{ID[:-1]}", None),
        (f"/docker/{ID}0", None),
        (f"/docker/{ID.upper()}", None),
        (f"/system.slice/docker-{ID}.scope\n", None),
        (f"/system.slice/xdocker-{ID}.scope", None),
        (f"/system.slice/docker-{ID}.service", None),
        ("/machine.slice/machine-.scope", None),
        ("/machine.slice/machine-\\x1b[2J.scope", None),
        ("/machine.slice/machine-a\\x2fb.scope", None),
        ("/machine.slice/machine-a b.scope", None),
        (f"/machine.slice/machine-{'a' * 65}.scope", None),
        ("/lxc/..", None),
        ("/lxc.payload.\\xff", None),
    ],
)
def test_a_container_is_told_by_its_cgroup(cgroup: str | None, container: str | None) -> None:
    """As runtimes name theirs; what no runtime would name so is in none."""
    assert container_of(cgroup) == container


@given(st.text(max_size=60) | st.lists(
    st.sampled_from(["lxc", f"docker-{ID}.scope", "machine-\\x1b.scope", "machine-a.scope", ""])
).map("/".join))  # fmt: skip
def test_whatever_a_cgroup_is_called_a_container_is_plain_text(cgroup: str) -> None:
    """Anybody with cgroups of their own chooses what they are called."""
    found = container_of(cgroup)
    assert found is None or (found.isascii() and found.isprintable() and " " not in found)


def test_an_id_is_shortened_as_its_runtime_does() -> None:
    """A name is not, however long."""
    assert (is_id(ID), short(ID)) == (True, ID[:12])
    name = "build-box-of-the-whole-company"
    assert (is_id(name), short(name)) == (False, name)
