# SPDX-License-Identifier: Apache-2.0
"""Hostile text shows as what it is, on one line, and cannot pass for the sensor's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.quote import WORD_LIMIT, one_line, quote, quote_all, quote_path, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/usr/bin/gcc-12", "/usr/bin/gcc-12"),
        ("--output=a.o", "--output=a.o"),
        ("~/src/a%b,c:d@e+f", "~/src/a%b,c:d@e+f"),
        ("", '""'),
        ("fix it", '"fix it"'),
        ("naïve 文字", '"naïve 文字"'),
        ('say "hi"', r'"say \"hi\""'),
        ("a\\b", r'"a\\b"'),
        ("a\nb\r\tc", r'"a\nb\r\tc"'),
        ("\x1b[2J\x07", r'"\x1b[2J\x07"'),
        ("\x9b31m", r'"\x9b31m"'),
        ("\u202egpj.exe", r'"\u202egpj.exe"'),
        ("a\u200bb\u2028c", r'"a\u200bb\u2028c"'),
        ("\u3164\ufe0f\u2800", r'"\u3164\ufe0f\u2800"'),
        ("\U000e0041", r'"\U000e0041"'),
        ("\udcff", r'"\udcff"'),
        ("[+12]", '"[+12]"'),
        ("$(id)", '"$(id)"'),
    ],
)
def test_text_is_shown_as_it_is(text: str, shown: str) -> None:
    """Plain words stay plain; all else is quoted and made visible."""
    assert quote(text) == shown


def test_what_is_cut_is_counted() -> None:
    """The mark stands outside of the quotes, where text cannot put it."""
    assert quote("a" * 10, 10) == "a" * 10
    assert quote("a" * 13, 10) == "a" * 10 + "[+3]"
    assert quote("a b c d e f", 5) == '"a b c"[+6]'


def test_escapes_do_not_widen_the_line() -> None:
    """The limit is on columns shown, not on characters given."""
    assert quote("\x1b" * 50, 10) == r'"\x1b\x1b"[+48]'


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/bin/x", "/bin/x"),
        ("/a b/x", '"/a b/x"'),
        ("/very/long/path/to/bin/x", "[+14]h/to/bin/x"),
        ("/very/long/path/to/b\n/x", r'[+14]"h/to/b\n/x"'),
    ],
)
def test_a_path_loses_its_front(path: str, shown: str) -> None:
    """What is left says which file it is; what is gone is counted."""
    assert quote_path(path, 10) == shown


def test_arguments_are_told_apart() -> None:
    """An argument with a blank in it is not two."""
    assert quote_all(["git", "commit", "-m", "a b", ""]) == 'git commit -m "a b" ""'
    assert quote_all([]) == ""


def test_arguments_without_room_are_counted() -> None:
    """The first is always shown; of the rest, as many as fit."""
    assert quote_all(["cc", "-c", "a.c", "b.c"], 9) == "cc -c [+2 words]"
    assert quote_all(["a" * 20, "b"], 5) == "a" * 20 + " [+1 words]"


def test_a_long_argument_shows_its_beginning() -> None:
    """Where there is some room left, it is used."""
    shown = quote_all(["sh", "-c", "make all && echo done; " * 9, "x"], 50)
    assert shown == 'sh -c "make all && echo done; make all &&"[+173] [+1 words]'
    assert quote_all(["sh", "-c", "make all && echo done"], 20) == "sh -c [+1 words]"


@given(st.text(), st.integers(0, 30))
def test_any_text_fits_into_one_printable_line(text: str, limit: int) -> None:
    """Nothing unprintable comes out, and no more of it than was allowed."""
    shown = quote(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit + len(f'""[+{len(text)}]')


@given(st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=5))
def test_quoting_loses_nothing(words: list[str]) -> None:
    """Different arguments never show as the same line."""
    shown = quote_all(words, 10 * WORD_LIMIT * len(words))
    assert shown != quote_all([*words, "x"], 10 * WORD_LIMIT * len(words))
    assert shown != quote_all([words[0] + "x", *words[1:]], 10 * WORD_LIMIT * len(words))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('Use "qwen": https://wiki.example/ai', 'Use "qwen": https://wiki.example/ai'),
        ("a\x1b[2J\r\nb\u202e", r"a\x1b[2J\r\nb\u202e"),
        ("x" * 41, "x" * 40 + "[+]"),
        ("\x9b" * 39, r"\x9b" * 10 + "[+]"),
    ],
)
def test_a_sentence_for_a_terminal_has_no_quotes_around_it(text: str, shown: str) -> None:
    """What does not show is written out all the same, and what is cut says so."""
    assert one_line(text, 40) == shown


def test_on_a_page_text_needs_no_quotes() -> None:
    """What does not print is an escape all the same, and a backslash is one too."""
    assert visible('a "b" \\ \x1b[31m\u202e\n') == 'a "b" \\\\ \\x1b[31m\\u202e\\n'
