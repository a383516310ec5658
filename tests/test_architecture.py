# SPDX-License-Identifier: Apache-2.0
"""The house rules, as tests: who may import whom, who owns what, how large a room gets."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SENSOR = ROOT / "sensor"

# Imports go leftwards only.
LAYERS = ("errors", "core", "wire", "edge", "daemon", "cli")

# What a layer that computes has no business with.
IMPURE = {
    "asyncio", "io", "logging", "os", "pathlib", "random", "socket", "subprocess", "sys", "time",
}  # fmt: skip

# One foreign library, one owner.
OWNERS = {
    "bcc": {"edge/compiler.py"},
    "click": {"cli/"},
    "ctypes": {
        "edge/attempt_exec.py",
        "edge/attempt_reach.py",
        "edge/capabilities.py",
        "edge/compiler.py",
        "edge/libbpf",
        "edge/libbpf_quiet.py",
        "edge/mounts.py",
        "edge/host.py",
        "edge/inotify.py",
        "edge/features.py",
        "edge/parent.py",
        "edge/scratch.py",
        "edge/sockdiag_destroy.py",
    },
    "jinja2": {"edge/page.py"},
    "msgpack": {"wire/"},
    "prometheus_client": {"edge/metrics.py"},
    "pyroute2": {"edge/sockdiag.py"},
    "sqlite3": {"edge/store", "edge/audit_rpm.py"},
}

MODULES = sorted(SENSOR.rglob("*.py"))
FILES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
]
LINES = {".py": 300, ".c": 200, ".h": 100}
ALLOWED_LONGER = {
    "probes/events.h": "the one contract: every record in one place is worth the length",
}
FUNCTION_LINES = 50


def imports(module: Path) -> set[str]:
    """Give the full names that a module imports, at any depth."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def layer(dotted: str) -> int:
    """Give the position of ``sensor.<layer>...`` among the layers."""
    return LAYERS.index(dotted.split(".")[1])


def inside(module: Path) -> str:
    """Name a module by its place in the package."""
    return str(module.relative_to(SENSOR))


@pytest.mark.parametrize("module", MODULES, ids=inside)
def test_imports_go_leftwards_only(module: Path) -> None:
    """A layer knows the ones before it, and no other."""
    name = inside(module)
    if name in {"__init__.py", "__main__.py"}:
        return
    own = LAYERS.index(name.removesuffix(".py").split("/")[0])
    for imported in imports(module):
        if imported.startswith("sensor."):
            assert layer(imported) <= own, f"{name} imports {imported}"


@pytest.mark.parametrize("module", sorted((SENSOR / "edge").glob("*.py")), ids=inside)
def test_edges_do_not_know_each_other(module: Path) -> None:
    """Only the daemon introduces edges to each other; ``store_x`` is a part of ``store``."""
    own = f"sensor.edge.{module.stem.split('_')[0]}"
    assert not {
        name
        for name in imports(module)
        if name.startswith("sensor.edge") and not name.startswith(own)
    }


@pytest.mark.parametrize(
    "module",
    [module for module in MODULES if inside(module).startswith(("core/", "wire/"))],
    ids=inside,
)
def test_the_middle_never_looks_outside(module: Path) -> None:
    """The core and the wire compute: no clock, no file, no socket, no chance."""
    roots = {name.split(".")[0] for name in imports(module)}
    assert not roots & IMPURE


@pytest.mark.parametrize("module", MODULES, ids=inside)
def test_each_library_has_its_owner(module: Path) -> None:
    """A foreign library is imported where it belongs, so it can be changed in one place."""
    for root in {name.split(".")[0] for name in imports(module)} & set(OWNERS):
        assert any(inside(module).startswith(owner) for owner in OWNERS[root]), root


def test_every_file_has_a_reasonable_length() -> None:
    """A file that is longer wants to be two."""
    long = {
        name: lines
        for path in FILES
        if path.suffix in LINES and path.exists()
        for name, lines in [
            (str(path.relative_to(ROOT)), len(path.read_text("utf-8").splitlines()))
        ]
        if lines > LINES[path.suffix] and name not in ALLOWED_LONGER
    }
    assert not long


def test_every_function_has_a_reasonable_length() -> None:
    """A function that is longer wants to be two; its docstring does not count."""
    long = []
    for path in FILES:
        if path.suffix != ".py" or not path.exists():
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and node.body[1:] else node.body[0]
                lines = (node.end_lineno or 0) - first.lineno + 1
                if lines > FUNCTION_LINES:
                    long.append(f"{path.relative_to(ROOT)}:{node.name}: {lines}")
    assert not long


APACHE, DUAL = "Apache-2.0", "GPL-2.0-only OR BSD-2-Clause"


def licences(path: Path) -> set[str]:
    """Give what a file may be under: the kernel asks GPL of what is loaded into it."""
    if path.relative_to(ROOT).parts[0] == "probes":
        return {DUAL}
    return {APACHE, DUAL} if path.suffix == ".c" else {APACHE}


@pytest.mark.parametrize(
    "path",
    [p for p in FILES if p.suffix in {".py", ".c", ".h", ".toml", ".sh"} or p.name == "Makefile"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_file_names_its_licence(path: Path) -> None:
    """An SPDX line stands among the first three."""
    if path.exists():
        head = "\n".join(path.read_text("utf-8").splitlines()[:3])
        assert any(f"SPDX-License-Identifier: {name}" in head for name in licences(path))


@pytest.mark.parametrize(
    "module",
    [
        module
        for module in MODULES
        if inside(module).startswith(("core/", "wire/", "edge/")) and module.name != "__init__.py"
    ],
    ids=inside,
)
def test_tests_mirror_files(module: Path) -> None:
    """Who opens a file knows where its test is."""
    folder = ROOT / "tests" / module.parent.relative_to(SENSOR)
    assert (folder / f"test_{module.name}").exists()
