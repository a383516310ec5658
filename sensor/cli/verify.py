# SPDX-License-Identifier: Apache-2.0
"""``verify``: proof that nothing that is stored was changed since."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import click

from sensor.cli import chrome, options
from sensor.cli.printer import Printer, stdout
from sensor.core.quote import LINE_LIMIT, quote
from sensor.core.seal import HASH_BYTES, Seal
from sensor.core.units import count
from sensor.errors import BadInputError, DamagedStoreError, ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.edge.store_verify import Broken, Verified

_SEAL = re.compile(rf"([0-9]{{1,18}}):([0-9a-f]{{{HASH_BYTES * 2}}})", re.ASCII)


@click.command(short_help="Prove that nothing that is stored was changed.")
@click.option("--known", metavar="SEAL", help="A seal that was noted down: it has to be in there.")
@options.as_json
@options.state_dir
def verify(*, known: str | None, as_json: bool, state_dir: Path) -> None:
    """Prove that nothing that is stored was changed.

    No event was changed, removed or added since it was sealed. Reads the store
    itself, which takes root, whether a daemon runs or not. Ends with 0 when all is
    as it was written, and with 6 when not, naming the first event. Note the seal
    down elsewhere: with --known, a store that was written anew as a whole is found
    out too.

    \b
    Examples:
      agent-sensor verify
      agent-sensor verify --known "$(ssh vault cat build-7.seal)" --json
    """
    from sensor.daemon.reading import STORE  # SQLite: only here
    from sensor.edge.store import Store
    from sensor.edge.store_verify import Broken

    printer = Printer(stdout(as_json=as_json), as_json=as_json, all_children=True, color="never")
    seal = _seal(known) if known else None
    with (
        Store(state_dir / STORE, read_only=True) as store,
        chrome.progress("verified event") as show,
    ):
        found = store.verify(show, known=seal)
    plain, lines = _broken(found) if isinstance(found, Broken) else _intact(found)
    for line in [json.dumps(plain)] if as_json else lines:
        printer.write(line)
    printer.flush()
    sys.exit(ExitCode.OK if plain["intact"] else DamagedStoreError.exit_code)


def _seal(text: str) -> Seal:
    found = _SEAL.fullmatch(text.strip())
    if found is None:
        raise BadInputError(
            f"--known {quote(text)}: expected a seal as this command prints it, a number, a colon"
            f" and {HASH_BYTES * 2} hexadecimal digits"
        )
    return Seal(n=int(found[1]), first_seq=0, last_seq=0, hash=bytes.fromhex(found[2]))


def _broken(found: Broken) -> tuple[dict[str, object], list[str]]:
    plain: dict[str, object] = {
        "intact": False,
        "first_seq": found.first_seq,
        "reason": found.why,
    }
    return plain, [f"broken at event {found.first_seq}: {quote(found.why, LINE_LIMIT)}"]


def _intact(found: Verified) -> tuple[dict[str, object], list[str]]:
    """Return the outcome in plain values and in lines; what ``--known`` takes is the seal."""
    head = f"{found.head.n}:{found.head.hash.hex()}"
    events = count(found.rows, "event", "events")
    lines = [f"intact: {events} from {found.first_seq} to {found.head.last_seq}", f"seal {head}"]
    if found.holes:
        unstored = count(found.unstored, "event", "events")
        ranges = count(found.holes, "range", "ranges")
        lines.insert(1, f"not stored, and declared so: {unstored} in {ranges}")
    plain: dict[str, object] = {
        "intact": True,
        "first_seq": found.first_seq,
        "last_seq": found.head.last_seq,
        "events": found.rows,
        "holes": found.holes,
        "unstored": found.unstored,
        "seal": head,
    }
    return plain, lines
