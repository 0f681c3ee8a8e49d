"""Colours and line styles, the same in every figure, explorer and in the browser. Plain data: no matplotlib."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["COLOURS", "LINES", "ON_DARK", "PALETTE", "STYLES", "looks", "mathematical"]

# The hues of Okabe & Ito, which colour-blind readers tell apart, darker: on white the contrast of each is at least 4.5,
# as of text, and of the last two 3, as of a line.
ORANGE, BLUE, GREEN, PINK, SKY, YELLOW = "#C45100", "#0072B2", "#008060", "#B0568A", "#2B9BD8", "#B57D00"
BLACK, GREY, PALE, TEXT_GREY = "#000000", "#757575", "#E4E4E4", "#505050"
GUIDE = "#909090"  # of lines that help the eye, such as zero

# For lines that have no colour of their own, in this order, the palest last; no two neighbours differ by colour alone.
PALETTE = (ORANGE, BLUE, GREEN, PINK, BLACK, GREY, YELLOW, SKY)
STYLES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (3, 1, 1, 1)), (0, (6, 2, 1, 2)))
MARKERS = "os^DvPX*"

# One colour and one line style for each gate and current.
COLOURS = {
    "V": BLACK, "I": GREY,
    "m": ORANGE, "h": PINK, "n": BLUE, "p": GREEN,
    "I_Na": ORANGE, "I_K": BLUE, "I_M": GREEN, "I_L": GREY,
}  # fmt: skip
LINES = {
    "h": STYLES[1], "n": STYLES[2], "p": STYLES[3],
    "I_K": STYLES[1], "I_L": STYLES[2], "I_M": STYLES[3],
}  # fmt: skip

# On a dark page; what is not named stays the same.
ON_DARK = {
    BLACK: "#FFFFFF", GREY: "#A6A6A6", ORANGE: "#F07F2E", BLUE: "#56B4E9", GREEN: "#22B58A", PINK: "#D98CB8",
    SKY: "#56B4E9", YELLOW: "#E69F00",
}  # fmt: skip

# One colour and line style for each rate law.
LAW_LOOKS = {
    "ReLU": (ORANGE, STYLES[1]),
    "leaky ReLU": (YELLOW, (0, (8, 2))),
    "softplus": (PINK, STYLES[3]),
    "sigmoid": (GREEN, STYLES[2]),
    "tanh": (SKY, STYLES[4]),
    "LIF": (BLUE, "-"),
}


def looks(names: Iterable[str]) -> dict[str, dict]:
    """Keyword arguments of a matplotlib line by name: the gate's or current's own, else the next of the palette."""
    return {
        name: {
            "color": COLOURS.get(name, PALETTE[k % len(PALETTE)]),
            "linestyle": LINES.get(name, "-") if name in COLOURS else STYLES[k % len(STYLES)],
        }
        for k, name in enumerate(names)
    }


def mathematical(name: str) -> str:
    """Typeset a name such as I_Na for matplotlib, as I with the index Na."""
    head, _, index = name.partition("_")
    return rf"${head}_{{\mathrm{{{index}}}}}$" if index else f"${head}$"
