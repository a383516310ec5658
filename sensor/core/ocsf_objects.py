# SPDX-License-Identifier: Apache-2.0
"""The objects of OCSF that several of its classes hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.foreign import command_line, container, entity, name_of, present, wall_ns

if TYPE_CHECKING:
    from sensor.core.event import Destination, Event, ProcessView
    from sensor.core.facts import Process

_NS_PER_MS = 1_000_000
_REGULAR_FILE = 1  # file.type_id
_OUTBOUND = 2  # network_connection_info.direction_id
_PROTOCOLS = {"tcp": 6, "udp": 17}  # IANA's numbers
_UNKNOWN_DEVICE, _LINUX = 0, 200  # device.type_id: a build host may be anything; os.type_id


def milliseconds(amount_ns: int | None) -> int | None:
    """Give a duration in the schema's unit."""
    return None if amount_ns is None else amount_ns // _NS_PER_MS


def moment(event: Event, at_ns: int) -> int:
    """Give the wall clock of a time since boot, in milliseconds since 1970."""
    return wall_ns(event, at_ns) // _NS_PER_MS


def device(event: Event) -> dict[str, object]:
    """Describe the host."""
    return {
        "hostname": event.host,
        "type_id": _UNKNOWN_DEVICE,
        "boot_uid": event.boot_id,
        "os": {"name": "Linux", "type_id": _LINUX},
    }


def process(event: Event, view: ProcessView) -> dict[str, object]:
    """Describe a process, with what started it."""
    started_by = event.parent and parent(event, event.parent)
    return present(
        {
            "pid": view.pid,
            "uid": entity(event, view),
            "created_time": moment(event, view.started_ns),
            "name": name_of(view),
            "path": view.exe,
            "cmd_line": command_line(view),
            "working_directory": view.cwd,
            "file": _file(view),
            "user": present({"uid": _text(view.uid), "name": view.user}) or None,
            "auid": view.loginuid,
            "container": container(view, "uid"),
            "session": present({"uid": event.session, "terminal": view.tty}) or None,
            "parent_process": started_by or (view.ppid and {"pid": view.ppid}) or None,
        }
    )


def parent(event: Event, started_by: Process) -> dict[str, object]:
    """Describe a process of which we know no more than who it is."""
    return {
        "pid": started_by.pid,
        "uid": entity(event, started_by),
        "created_time": moment(event, started_by.started_ns),
    }


def _file(view: ProcessView) -> dict[str, object] | None:
    if view.exe is None:
        return None
    return present(
        {
            "name": name_of(view),
            "path": view.exe,
            "type_id": _REGULAR_FILE,
            "uid": _text(view.ino),
            "is_deleted": view.fileless,
        }
    )


def endpoints(event: Event, to: Destination, *, named: bool) -> dict[str, object]:
    """Describe both ends and the way between; ``named`` is whether the name is the far end's."""
    far = present(
        {
            "ip": None if to.ip is None else str(to.ip),
            "port": to.port,
            "hostname": to.name if named else None,
        }
    )
    way = present(
        {
            "direction_id": _OUTBOUND,
            "protocol_name": to.transport,
            "protocol_num": _PROTOCOLS.get(to.transport or ""),
            "protocol_ver_id": to.ip.version if to.ip else None,
        }
    )
    return {
        "src_endpoint": {"hostname": event.host},
        "dst_endpoint": far or None,
        "connection_info": way,
        "actor": {"process": process(event, event.process)} if event.process else None,
    }


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
