"""Complete docs/glossary.md: python -m tools.glossary.

Every term gets an anchor, so that a lesson can link to it: **action potential, spike** is #action-potential and #spike,
**leaky integrate-and-fire (LIF)** is #leaky-integrate-and-fire and #lif. The table of symbols is written from the
declarations of the neurons.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from helpers.neurons import models
from helpers.neurons.equations import Neuron

PAGE = Path(__file__).parents[1] / "docs" / "glossary.md"
MARK = "<!-- from here on made by: python -m tools.glossary -->"


def page() -> str:
    """The whole glossary with fresh anchors and a fresh table of symbols."""
    terms = PAGE.read_text("utf-8").partition(MARK)[0]
    terms = re.sub(r"^\| (?:<a .*></a>)?\*\*(.+?)\*\*", _anchored, terms, flags=re.MULTILINE)
    return f"{terms}{MARK}\n\n{symbols()}\n"


def anchors(term: str) -> list[str]:
    """Names of the anchors of a term: each of its words between commas, and an abbreviation in brackets."""
    words = [*re.sub(r"\(.*?\)", "", term).split(","), *re.findall(r"\(([A-Z]{2,})\)", term)]
    plain = (unicodedata.normalize("NFKD", word).lower() for word in words)
    return ["-".join(re.findall("[a-z0-9]+", word)) for word in plain]


def _anchored(found: re.Match[str]) -> str:
    return "| " + "".join(f'<a id="{name}"></a>' for name in anchors(found[1])) + f"**{found[1]}**"


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
