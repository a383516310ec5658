# SPDX-License-Identifier: Apache-2.0
"""A console script is known by the one import that it consists of."""

from __future__ import annotations

import pytest

from sensor.core.scripts import MOST_CONSOLE_BYTES, called_module

PIP = b"""#!/opt/v/bin/python
# -*- coding: utf-8 -*-
import re
import sys
from aider.main import main
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(main())
"""
UV = b"""#!/opt/v/bin/python
import sys
from llm.cli import cli
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    sys.exit(cli())
"""
OLD = b"""#!/bin/sh
'''exec' /a/long/path/bin/python "$0" "$@"
' '''
from aider import main
if __name__ == '__main__':
    sys.exit(main.run())
"""


@pytest.mark.parametrize(
    ("text", "module"),
    [
        (PIP, "aider"),
        (UV, "llm"),
        (OLD, "aider"),
        (PIP.replace(b"import re\n", b"from re import sub\n"), "aider"),
        (PIP.replace(b"#!", b"# "), None),
        (PIP.replace(b"    sys.exit(main())", b"    sys.exit(1)"), None),
        (PIP.replace(b"from aider.main import main", b"import aider"), None),
        (PIP.replace(b"import re\n", b"from black import main as x\n"), None),
        (PIP + b"#" * MOST_CONSOLE_BYTES, None),
        (b"", None),
    ],
)
def test_a_console_script_names_what_it_calls(text: bytes, module: str | None) -> None:
    """As pip and uv write them, short and long; a program of one's own is none."""
    assert called_module(text) == module
