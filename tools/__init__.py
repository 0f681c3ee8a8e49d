"""Programs for those who work on the series."""

from pathlib import Path

__all__ = ["LESSONS", "ROOT"]

ROOT = Path(__file__).parents[1]
LESSONS = sorted(ROOT.glob("[0-9]_*.ipynb"))  # the notebooks, in order
