# SPDX-License-Identifier: Apache-2.0
"""A process is shown with what is known of it, and with nothing else."""

from __future__ import annotations

from dataclasses import replace

from support.story import CATALOGUE, StoryHost, at, connect, exec_, hello

from sensor.core.event import Evidence, ProcessView
from sensor.core.facts import Process
from sensor.core.identity import Identity
from sensor.core.views import as_user, image, outsider

HOST = StoryHost()
IDENTITY = Identity(
    tool=CATALOGUE.tools[0],
    confidence=0.9,
    evidence=(Evidence("name", "claude"),),
    script="/usr/bin/claude",
)
EXEC = exec_(9, "claude", "-p", exe="/usr/bin/claude")


def test_a_process_is_shown_as_its_exec_left_it() -> None:
    """Numbers that mean something to the host come with its word for them."""
    assert image(HOST, EXEC, IDENTITY) == ProcessView(
        pid=9,
        started_ns=at(9).started_ns,
        ppid=1,
        exe="/usr/bin/claude",
        script="/usr/bin/claude",
        name_typed="/usr/bin/claude",
        argv=("claude", "-p"),
        cwd="/home/alice/src",
        uid=1000,
        user="alice",
        loginuid=1000,
        tty="pts/3",
        cgroup="/user.slice",
        cgroup_id=7,
        dev=EXEC.file.dev,
        ino=4711,
        fileless=False,
    )


def test_a_process_without_a_cgroup_id_has_no_cgroup() -> None:
    """Nothing is looked up that is not there."""
    fact = exec_(9, "claude", cgroup_id=None)
    view = image(HOST, fact, IDENTITY)
    assert (view.cgroup, view.container) == (None, None)


def test_a_process_is_shown_in_its_container() -> None:
    """By what its cgroup is called."""
    view = image(HOST, exec_(9, "claude", cgroup_id=8), IDENTITY)
    assert (view.cgroup, view.container) == ("/machine.slice/machine-box.scope/payload", "box")


def test_an_outsider_is_shown_by_its_image() -> None:
    """As /proc had it, with the user that it was when it connected."""
    curl = exec_(9, "curl", exe="/usr/bin/curl", late=True)
    view = outsider(HOST, connect(9, "192.0.2.1", uid=0, image=curl), Identity())
    assert view
    assert (view.exe, view.uid, view.user, view.comm) == ("/usr/bin/curl", 0, "root", None)


def test_an_outsider_without_an_image_is_known_by_its_own_word() -> None:
    """It has ended before anybody could look; a hello does not even have its word."""
    view = ProcessView(pid=9, started_ns=at(9).started_ns, comm="curl", uid=1000, user="alice")
    assert outsider(HOST, connect(9, "192.0.2.1"), None) == view
    told = outsider(HOST, replace(connect(9, "192.0.2.1"), cgroup_id=8), None)
    place = "/machine.slice/machine-box.scope/payload"
    assert told == replace(view, cgroup=place, cgroup_id=8, container="box")
    said = outsider(HOST, hello(9, "192.0.2.1", "a.test"), None)
    assert said
    assert (said.pid, said.comm) == (9, None)


def test_where_nobody_is_known_nobody_is_shown() -> None:
    """A packet does not say whose it is."""
    fact = hello(9, "192.0.2.1", "a.test")
    nobody = type(fact)(
        **{name: getattr(fact, name) for name in fact.__slots__} | {"process": Process(0, 0)}
    )
    assert outsider(HOST, nobody, None) is None


def test_a_process_is_shown_with_the_user_of_the_moment() -> None:
    """One that is the same is not made anew."""
    view = image(HOST, EXEC, IDENTITY)
    assert as_user(HOST, view, 1000) is view
    changed = as_user(HOST, view, 0)
    assert (changed.uid, changed.user, changed.exe) == (0, "root", "/usr/bin/claude")
