"""Write the table of symbols in docs/glossary.md from the declarations of the neurons: python -m tools.glossary."""

from __future__ import annotations

from pathlib import Path

from helpers.neurons import models
from helpers.neurons.equations import Neuron

PAGE = Path(__file__).parents[1] / "docs" / "glossary.md"
MARK = "<!-- from here on made by: python -m tools.glossary -->"


def page() -> str:
    """The whole glossary with a fresh table."""
    return f"{PAGE.read_text('utf-8').partition(MARK)[0]}{MARK}\n\n{symbols()}\n"


def symbols() -> str:
    """Every declared parameter with its unit and meaning, and the neurons that have it."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for name in models.__all__:
        neuron: type[Neuron] = getattr(models, name)
        for declared in neuron.parameters().values():
            found.setdefault((declared.name, declared.unit, declared.meaning), []).append(name)
    rows = [
        f"| **{name}** | {unit} | {meaning} | {', '.join(neurons)} |"
        for (name, unit, meaning), neurons in sorted(found.items(), key=lambda item: item[0][0].lower())
    ]
    return "\n".join(["| symbol | unit | meaning | in |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
