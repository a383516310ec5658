# SPDX-License-Identifier: Apache-2.0
"""The package of a program is found by what npm and pip leave beside it, and bounded."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from sensor.edge import packages
from sensor.edge.packages import Package, of_module, of_program, resolve

if TYPE_CHECKING:
    from pathlib import Path

MODULES = "usr/lib/node_modules"


def put(root: Path, path: str, text: str = "") -> None:
    """Write a file below a root."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def link(root: Path, path: str, target: str) -> None:
    """Make a link below a root."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.symlink_to(target)


def manifest(root: Path, folder: str, **text: object) -> None:
    """Write a package.json."""
    put(root, f"{folder}/package.json", json.dumps(text))


def dist(root: Path, site: str, name: str, **files: str) -> None:
    """Write the metadata of an installed distribution."""
    for file, text in {"METADATA": "", **files}.items():
        put(root, f"{site}/{name}.dist-info/{file}", text)


def test_a_program_of_npm_belongs_to_the_nearest_manifest(tmp_path: Path) -> None:
    """Through the link on PATH; the manifest says which programs are its own."""
    folder = f"{MODULES}/@scope/tool"
    manifest(tmp_path, folder, name="@scope/tool", bin={"tool": "./bin/cli.js"})
    put(tmp_path, f"{folder}/bin/cli.js")
    put(tmp_path, f"{folder}/lib/other.js")
    link(tmp_path, "usr/bin/tool", "../lib/node_modules/@scope/tool/bin/cli.js")
    assert of_program(str(tmp_path), "/usr/bin/tool") == Package("npm:@scope/tool", owns=True)
    other = of_program(str(tmp_path), f"/{folder}/lib/other.js")
    assert other == Package("npm:@scope/tool", owns=False)


@pytest.mark.parametrize("file", ["tsconfig.json", "package-lock.json", ".gitignore"])
def test_a_manifest_among_sources_was_not_installed(tmp_path: Path, file: str) -> None:
    """Nobody publishes these."""
    manifest(tmp_path, "work", name="tool")
    put(tmp_path, "work/build.js")
    assert of_program(str(tmp_path), "/work/build.js") == Package("npm:tool", owns=False)
    put(tmp_path, f"work/{file}")
    found = of_program(str(tmp_path), "/work/build.js")
    assert found == Package("npm:tool", owns=False, is_source=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_manifest_that_somebody_else_has_laid_there_is_none(tmp_path: Path) -> None:
    """In a folder where all may write nobody says of others' files what they are."""
    manifest(tmp_path, "all", name="tool", bin={"tool": "./build/x.js"})
    put(tmp_path, "all/build/x.js")
    site = "all/lib/python3.11/site-packages"
    dist(tmp_path, site, "tool-1.0", **{"entry_points.txt": "[console_scripts]\nx = tool:main\n"})
    put(tmp_path, "all/bin/x")
    paths = ("/all/build/x.js", "/all/bin/x")
    files = ("package.json", "lib/python3.11/site-packages/tool-1.0.dist-info/entry_points.txt")
    for owner, somebody, is_told in ((0, 1000, True), (1000, 1000, True), (1001, 1000, False)):
        for file in files:
            os.chown(tmp_path / "all" / file, owner, owner)
        for path in paths:
            os.chown(tmp_path / path[1:], somebody, somebody)
        found = [of_program(str(tmp_path), path) for path in paths]
        assert [one is not None for one in found] == [is_told] * 2
    os.chown(tmp_path, 1001, 1001)  # root in a container without privileges
    assert of_program(str(tmp_path), paths[0]) == Package("npm:tool", owns=True)


def test_a_script_that_a_distribution_brought_whole_is_its_own(tmp_path: Path) -> None:
    """It is in its list of files, and in no entry point."""
    site = "v/lib/python3.11/site-packages"
    dist(tmp_path, site, "jules-0.2", RECORD="jules/a.py,,\n../../../bin/jules,sha256=x,1\n")
    dist(tmp_path, site, "other-1.0", RECORD="../../../bin/jules-other,,\nbin/jules,,\n")
    put(tmp_path, "v/bin/jules")
    put(tmp_path, "v/bin/alone")
    assert of_program(str(tmp_path), "/v/bin/jules") == Package("pypi:jules", owns=True)
    assert of_program(str(tmp_path), "/v/bin/alone") is None


def test_a_module_is_known_by_the_files_of_its_distribution(tmp_path: Path) -> None:
    """Poetry and others write no list of top packages."""
    site = "v/lib/python3.11/site-packages"
    dist(tmp_path, site, "open_interpreter-0.4", RECORD="interpreter/__init__.py,sha256=x,1\n")
    dist(tmp_path, site, "other-1.0", RECORD="other/interpreter.py,,\nsingle.py,,\n")
    found = of_module(str(tmp_path), "/v/bin/python", "interpreter")
    assert found == Package("pypi:open-interpreter", owns=True)
    assert of_module(str(tmp_path), "/v/bin/python", "single") == Package("pypi:other", owns=True)
    assert of_module(str(tmp_path), "/v/bin/python", "absent") is None


@pytest.mark.parametrize("text", ['{"type": "module"}', "[]", "{", '{"name": "no name"}', ""])
def test_a_manifest_without_a_name_is_passed_by(tmp_path: Path, text: str) -> None:
    """As packages have one for a folder of theirs."""
    manifest(tmp_path, "p", name="outer", bin="dist/cli.js")
    put(tmp_path, "p/dist/package.json", text)
    put(tmp_path, "p/dist/cli.js")
    assert of_program(str(tmp_path), "/p/dist/cli.js") == Package("npm:outer", owns=True)


def test_what_is_no_plain_file_of_a_bounded_size_is_no_manifest(tmp_path: Path) -> None:
    """A pipe would hold the reader up, a link lead elsewhere."""
    put(tmp_path, "real.json", '{"name": "real"}')
    put(tmp_path, "a/b/c/x")
    os.mkfifo(tmp_path / "a/b/c/package.json")
    link(tmp_path, "a/b/package.json", "/real.json")
    put(tmp_path, "a/package.json", json.dumps({"name": "x" * packages.MANIFEST_BYTES}))
    assert of_program(str(tmp_path), "/a/b/c/x") is None


def test_only_so_many_folders_are_looked_at(tmp_path: Path) -> None:
    """A manifest far above is nobody's."""
    manifest(tmp_path, ".", name="far")
    deep = "/".join("d" * packages.FOLDERS)
    put(tmp_path, f"{deep}/x")
    assert of_program(str(tmp_path), f"/{deep}/x") is None
    put(tmp_path, "near/x")
    assert of_program(str(tmp_path), "/near/x") == Package("npm:far", owns=False)


@pytest.mark.parametrize(
    "lib", ["lib/python3.11/site-packages", "local/lib/python3.12/dist-packages"]
)
def test_a_console_script_belongs_to_the_distribution_that_declares_it(
    tmp_path: Path, lib: str
) -> None:
    """In the folder beside its own, whichever Python that is for."""
    dist(tmp_path, f"v/{lib}", "Aider_Chat-0.86.2", **{"entry_points.txt": "[x]\naider = a:main\n"})
    dist(tmp_path, f"v/{lib}", "other-1.0", **{"entry_points.txt": "[x]\naiders = a:main\n"})
    put(tmp_path, "v/bin/aider")
    link(tmp_path, "home/bin/aider", "/v/bin/aider")
    found = of_program(str(tmp_path), "/home/bin/aider")
    assert found == Package("pypi:aider-chat", owns=True)
    put(tmp_path, "v/bin/nobodys")
    assert of_program(str(tmp_path), "/v/bin/nobodys") is None


def test_a_program_within_a_distribution_is_its_own(tmp_path: Path) -> None:
    """By its top folder: of the same name, or declared as such."""
    site = "v/lib/python3.11/site-packages"
    dist(tmp_path, site, "some_sdk-1.0")
    dist(tmp_path, site, "other-dist-2.0", **{"top_level.txt": "folder\nmore\n"})
    for path in ("some_sdk/bin/x", "folder/x", "unknown/x"):
        put(tmp_path, f"{site}/{path}")
    root = str(tmp_path)
    assert of_program(root, f"/{site}/some_sdk/bin/x") == Package("pypi:some-sdk", owns=True)
    assert of_program(root, f"/{site}/folder/x") == Package("pypi:other-dist", owns=True)
    assert of_program(root, f"/{site}/unknown/x") is None


def test_a_module_belongs_to_a_distribution_of_its_python(tmp_path: Path) -> None:
    """The one of the environment by whose path Python was started."""
    link(tmp_path, "v/bin/python", "/usr/bin/python3.11")
    dist(tmp_path, "v/lib/python3.11/site-packages", "aider_chat-1", **{"top_level.txt": "aider"})
    dist(tmp_path, "usr/lib/python3/dist-packages", "llm-1")
    root = str(tmp_path)
    assert of_module(root, "/v/bin/python", "aider") == Package("pypi:aider-chat", owns=True)
    assert of_module(root, "/usr/bin/python3", "llm") == Package("pypi:llm", owns=True)
    assert of_module(root, "/v/bin/python", "llm") is None
    assert of_module(root, "/nowhere/bin/python", "llm") is None


def test_links_stay_within_the_root(tmp_path: Path) -> None:
    """As the process sees them, whatever is there on the host."""
    put(tmp_path, "real/x")
    link(tmp_path, "a/abs", "/real")
    link(tmp_path, "a/up", "../../../../real/./x")
    link(tmp_path, "a/loop", "loop")
    root = str(tmp_path)
    assert resolve(root, "/a/abs/x") == "/real/x"
    assert resolve(root, "/a/up") == "/real/x"
    assert resolve(root, "/a/loop") is None
    assert resolve(root, "/a/nothing") is None
    assert resolve(root, "/") == "/"
    assert of_program(root, "/a/nothing") is None


def test_only_so_many_distributions_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of any size takes a bounded time."""
    monkeypatch.setattr(packages, "DISTRIBUTIONS", 1)
    site = "v/lib/python3.11/site-packages"
    for name in ("a-1", "b-1", "c-1"):
        dist(tmp_path, site, name)
    found = [of_module(str(tmp_path), "/v/bin/python", name) for name in ("a", "b", "c")]
    assert len([one for one in found if one]) == 1
