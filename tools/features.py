"""Complete docs/features.md: python -m tools.features writes its table of features from their declarations."""

from __future__ import annotations

from pathlib import Path

from helpers.simulation.electrophysiology import FEATURES

PAGE = Path(__file__).parents[1] / "docs" / "features.md"
BEGIN, END = "<!-- made by: python -m tools.features -->", "<!-- end of what tools.features made -->"


def page() -> str:
    """The whole page with a fresh table."""
    head, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    return f"{head}{BEGIN}\n\n{FEATURES._repr_markdown_()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
