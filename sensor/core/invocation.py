# SPDX-License-Identifier: Apache-2.0
"""Invocations: what an interpreter or the dynamic loader was asked to run.

The image of ``node cli.js`` is node: all that tells one program from another
stands in its arguments. They are read here as the interpreter itself reads
them, up to the script and no further. argv[0] means nothing and is skipped.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.tools import InterpreterKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sensor.core.facts import Exec


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What really runs; nothing is set for a program that is no interpreter.

    ``script`` and ``program`` (which the dynamic loader starts) are as given,
    relative to the working directory. ``module`` follows ``python -m``.
    """

    script: str | None = None
    module: str | None = None
    program: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grammar:
    """How an interpreter reads its arguments up to the script."""

    valued: frozenset[str] = frozenset()  # the next argument is the option's value
    final: frozenset[str] = frozenset()  # no script follows
    verbs: frozenset[str] = frozenset()  # the script follows the verb


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# node --help of 20.20: what takes a value, which may follow as the next argument.
# V8's own options take theirs after "=" only.
_NODE = _Grammar(
    valued=_words(
        "--allow-fs-read --allow-fs-write --build-snapshot-config -C --conditions --cpu-prof-dir "
        "--cpu-prof-interval --cpu-prof-name --diagnostic-dir --disable-proto --disable-warning "
        "--dns-result-order --env-file --env-file-if-exists --experimental-default-type --loader "
        "--experimental-loader --experimental-policy --experimental-sea-config --heap-prof-dir "
        "--heap-prof-interval --heap-prof-name --heapsnapshot-near-heap-limit "
        "--heapsnapshot-signal --icu-data-dir --import --input-type --inspect-port "
        "--inspect-publish-uid --max-http-header-size "
        "--network-family-autoselection-attempt-timeout --openssl-config --policy-integrity "
        "--redirect-warnings --report-dir --report-directory --report-filename --report-signal "
        "-r --require --secure-heap --secure-heap-min --snapshot-blob --test-concurrency "
        "--test-name-pattern --test-reporter --test-reporter-destination --test-shard "
        "--test-timeout --title --tls-cipher-list --tls-keylog --trace-event-categories "
        "--trace-event-file-pattern --trace-require-module --unhandled-rejections "
        "--use-largepages --v8-pool-size --watch-path"
    ),
    final=_words("-e --eval -p --print -pe -h --help -v --version --run"),
    verbs=frozenset({"inspect"}),
)
_BUN = _Grammar(
    valued=_words(
        "-r --preload --require --import --cwd --env-file -c --config -d --define -l --loader "
        "--tsconfig-override --conditions --main-fields --extension-order --port"
    ),
    final=_words("-e --eval -p --print -h --help -v --version exec repl"),
    verbs=frozenset({"run", "x"}),
)
_DENO = _Grammar(
    valued=_words(
        "-c --config --import-map --cert --location --seed --env-file --ext --preload "
        "-L --log-level"
    ),
    final=_words("-h --help -V --version eval repl"),
    verbs=frozenset({"run", "serve"}),
)
_GRAMMARS = {"bun": _BUN, "deno": _DENO}

# ld.so(8) of glibc 2.36 and ldso/dynlink.c of musl 1.2. Those in ``final`` only
# look at the program; ldd(1) uses them.
_LOADER = _Grammar(
    valued=_words(
        "--library-path --inhibit-rpath --audit --preload --argv0 "
        "--glibc-hwcaps-prepend --glibc-hwcaps-mask"
    ),
    final=_words("--list --verify --list-tunables --list-diagnostics --help --version"),
)

_PYTHON_VALUED = frozenset({"--check-hash-based-pycs"})
_PYTHON_FINAL = _words("--help --help-env --help-xoptions --help-all --version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What interpreters take for no script: a valued word's successor, or the word itself."""

    valued: frozenset[str]
    final: frozenset[str]
    verbs: frozenset[str]


OPTIONS = {
    InterpreterKind.SCRIPT: Options(
        valued=_NODE.valued | _BUN.valued | _DENO.valued,
        final=frozenset(
            word
            for grammar in (_NODE, _BUN, _DENO)
            for word in grammar.final
            if word.startswith("-")
        ),
        verbs=_NODE.verbs | _BUN.verbs | _DENO.verbs,
    ),
    InterpreterKind.PYTHON: Options(
        valued=_PYTHON_VALUED | {"-W", "-X"}, final=_PYTHON_FINAL | {"-"}, verbs=frozenset()
    ),
}
"""As the kernel goes by them, which knows no more of an interpreter than its kind."""


def invocation(fact: Exec, kinds: Mapping[str, InterpreterKind]) -> Invocation:
    """Return what a process really runs, given the interpreters by base name.

    In a ``#!`` script's own line the interpreter can be told to run something
    else, so its arguments go first; the script stands when they name nothing.
    """
    found = _read(posixpath.basename(fact.interpreter or fact.exe), fact.argv, kinds)
    if fact.interpreter is None or found.script or found.module or found.program:
        return found
    return Invocation(script=fact.name_typed)


def _read(name: str, argv: Sequence[str], kinds: Mapping[str, InterpreterKind]) -> Invocation:
    kind = kinds.get(name)
    if kind is None:
        return Invocation()
    if kind is InterpreterKind.PYTHON:
        return _python(argv)
    if kind is InterpreterKind.LOADER:
        return _loaded(argv, kinds)
    at = _operand(argv, _GRAMMARS.get(name, _NODE))
    return Invocation(script=None if at is None else argv[at])


def _loaded(argv: Sequence[str], kinds: Mapping[str, InterpreterKind]) -> Invocation:
    """Read past the loader; the program that it starts can be an interpreter in turn."""
    at = _operand(argv, _LOADER)
    if at is None:
        return Invocation()
    program = argv[at]
    name = posixpath.basename(program)
    if kinds.get(name) is InterpreterKind.LOADER:  # one level: a chain of loaders has no end
        return Invocation(program=program)
    inner = _read(name, argv[at:], kinds)
    return Invocation(script=inner.script, module=inner.module, program=program)


def _operand(argv: Sequence[str], grammar: _Grammar) -> int | None:
    """Return the position of the first argument that is neither option, value nor verb."""
    verbs = grammar.verbs
    at = 1
    while at < len(argv):
        word = argv[at]
        if word == "--":
            return at + 1 if at + 1 < len(argv) else None
        if word in grammar.final:
            return None
        if word in grammar.valued:
            at += 1
        elif word in verbs:
            verbs = frozenset()
        elif not word.startswith("-") and word:
            return at
        at += 1
    return None


def _python(argv: Sequence[str]) -> Invocation:
    """Read as getopt(3) does: short options go in clusters, values may be joined to them."""
    words = iter(argv[1:])
    for word in words:
        if word == "--":
            return Invocation(script=next(words, None))
        if word in _PYTHON_VALUED:
            next(words, None)
        elif word in _PYTHON_FINAL or word == "-":
            return Invocation()
        elif not word.startswith("-"):
            return Invocation(script=word)
        elif not word.startswith("--"):
            option, value = _cluster(word)
            if option in ("W", "X", "m", "c") and not value:
                value = next(words, "")
            if option in ("m", "c"):
                return Invocation(module=(value or None) if option == "m" else None)
    return Invocation()


def _cluster(word: str) -> tuple[str, str]:
    """Return the first option of ``-IBm`` that takes a value, and what is joined to it."""
    for at, option in enumerate(word[1:], 2):
        if option in "WXmc":
            return option, word[at:]
    return "", ""
