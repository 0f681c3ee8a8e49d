"""Programs for those who work on the series."""

from pathlib import Path

__all__ = ["DEEPER", "EXERCISES", "LESSONS", "NOTEBOOKS", "ROOT"]

ROOT = Path(__file__).parents[1]
LESSONS = sorted(ROOT.glob("[0-9]_*.ipynb"))  # in order
EXERCISES = sorted(ROOT.glob("exercises/[0-9]_*.ipynb"))
DEEPER = sorted(ROOT.glob("docs/deeper/*.ipynb"))
NOTEBOOKS = [*LESSONS, *EXERCISES, *DEEPER]
