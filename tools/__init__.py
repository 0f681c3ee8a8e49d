"""Programs for those who work on the series."""

import sys
from pathlib import Path

# Optional for jsonschema, and thus for nbformat: it checks addresses, which no notebook has, and takes 2 s to import.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

__all__ = ["DEEPER", "EXERCISES", "LESSONS", "NOTEBOOKS", "ROOT"]

ROOT = Path(__file__).parents[1]
LESSONS = sorted(ROOT.glob("[0-9]_*.ipynb"))  # in order
EXERCISES = sorted(ROOT.glob("exercises/[0-9]_*.ipynb"))
DEEPER = sorted(ROOT.glob("docs/deeper/*.ipynb"))
NOTEBOOKS = [*LESSONS, *EXERCISES, *DEEPER]
