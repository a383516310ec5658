# SPDX-License-Identifier: Apache-2.0
"""Keys: what can be written of a tool in the catalogue's text, and how."""

from __future__ import annotations

import re

from sensor.core.entries import Shape
from sensor.core.tools import MarkKind

SOURCE = Shape(
    re.compile(r"(ran|installed) \S[^\n]*|docs: \S[^\n]*"),
    'write "ran VERSION", "installed VERSION" or "docs: WHERE"',
)
NAME = Shape(
    re.compile(r"(?!\.{1,2}\Z)[^/\x00-\x20\x7f]+"),
    'write a base name without a slash, or "parent/child" under paths',
)
_PATH = Shape(
    re.compile(r"[^/\x00-\x20\x7f]+/[^/\x00-\x20\x7f]+"),
    'write exactly two components, like "@openai/codex"',
)
_MODULE = Shape(re.compile(r"[A-Za-z_]\w*", re.ASCII), 'write the top package, like "aider"')
_PACKAGE = Shape(
    re.compile(
        r"npm:(@[a-z0-9._-]+/)?[a-z0-9._-]+|pypi:[a-z0-9]+(-[a-z0-9]+)*"
        r"|(brew|deb|rpm|snap|flatpak):[A-Za-z0-9][A-Za-z0-9.+_-]*"
    ),
    'write "npm:name" or "pypi:name"; also brew, deb, rpm, snap, flatpak',
)
_STATE = Shape(re.compile(r"(~|<repo>)?/[^\x00-\x1f\x7f]+"), "begin with ~/, / or <repo>/")
_LAYOUT = Shape(
    re.compile(r"~/[^*\x00-\x1f\x7f]+(/\*)?"), "begin with ~/; end with /* for versions"
)
_EXTENSION = Shape(
    re.compile(r"[a-z0-9-]+\.[a-z0-9-]+"), 'write publisher and name, like "openai.chatgpt"'
)
_CONTENT = Shape(
    re.compile(r"[ -~]{12,64}"), "write 12 to 64 printable ASCII characters that only it holds"
)
_VARIABLE = Shape(re.compile(r"[A-Z_][A-Z0-9_]*"), 'write it like "CLAUDECODE"')
_SWITCH = Shape(
    re.compile(r"--?[A-Za-z0-9][A-Za-z0-9-]*( [^\s\x00-\x1f\x7f]+)?|[A-Z_][A-Z0-9_]*"),
    'write an option, one with its value, or a variable: "--yolo", "--mode yolo", "NO_GUARD"',
)
MARKS = {
    "names": (MarkKind.NAME, False, NAME),
    "shared_names": (MarkKind.NAME, False, NAME),
    "weak_names": (MarkKind.NAME, True, NAME),
    "paths": (MarkKind.PATH, False, _PATH),
    "weak_paths": (MarkKind.PATH, True, _PATH),
    "modules": (MarkKind.MODULE, False, _MODULE),
    "weak_modules": (MarkKind.MODULE, True, _MODULE),
}
"""Each with what it is compared with, and whether other software bears it too."""

SHARED = "shared_names"
"""Names that a known package of somebody else's installs as well."""

TEXTS = {
    "packages": _PACKAGE,
    "state": _STATE,
    "weak_state": _STATE,
    "environment": _VARIABLE,
    "settings": _VARIABLE,
    "unsafe": _SWITCH,
    "overrides": _SWITCH,
    "layout": _LAYOUT,
    "extensions": _EXTENSION,
    "contents": _CONTENT,
    "scripts": _CONTENT,
}
"""What is known of a tool beside its marks and hosts; each is a field of ``Tool``."""
