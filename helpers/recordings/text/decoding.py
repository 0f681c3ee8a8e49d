"""From bytes to lines: the encoding of a text file, and its line ends."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

__all__ = ["read_lines"]

# A tab, a form feed and line ends are part of a text; so is ^Z (1A) at the end of an old one.
CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


def read_lines(path: Path) -> tuple[list[str], str]:
    """Return the lines of a text file, without their ends, and in words how it is encoded.

    UTF-8 and UTF-16 are known by their byte order mark, UTF-16 without one by its zero bytes; what is not valid UTF-8
    is taken for Windows-1252 (of which Latin-1 is a part). Lines end in LF, CR LF, or CR alone.

    Raises ValueError, with the file's name, for bytes that are no text in any of these.
    """
    data = path.read_bytes()
    text, encoding = _decoded(path, data)
    lines = re.split("\r\n|\n|\r", text.rstrip("\x1a").replace("\ufeff", "").replace("\f", ""))
    for number, line in enumerate(lines, start=1):
        if found := CONTROL.search(line):
            raise ValueError(
                f"{path.name}, line {number} is not text: it contains the control character {found[0]!r}. A "
                "binary file must be exported as text first, or have the extension of its format"
            )
    return lines, encoding


def _decoded(path: Path, data: bytes) -> tuple[str, str]:
    if data.startswith(codecs.BOM_UTF8):
        tries = [("utf-8-sig", "UTF-8 with a byte order mark")]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        tries = [("utf-16", "UTF-16 with a byte order mark")]
    elif (order := _utf16_order(data)) is not None:
        tries = [(f"utf-16-{order}", "UTF-16 without a byte order mark")]
    else:
        tries = [("utf-8", "UTF-8"), ("cp1252", "Windows-1252 (Latin-1)")]
    for codec, words in tries:
        try:
            return data.decode(codec), words
        except UnicodeDecodeError as error:
            why = f"{error.reason} at byte {error.start}"
    raise ValueError(f"{path.name} is not text in {' or '.join(words for _, words in tries)}: {why}")


def _utf16_order(data: bytes) -> str | None:
    """Return "le" or "be" if every other byte is mostly zero, as in UTF-16 without a mark."""
    even, odd = data[0:4096:2], data[1:4096:2]
    if len(odd) < 4:
        return None
    if odd.count(0) > 0.9 * len(odd) and even.count(0) < 0.1 * len(even):
        return "le"
    if even.count(0) > 0.9 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "be"
    return None
