"""A pair of cells on a rig of which only V can be seen."""

from helpers.experiments.exercises import UnlabelledCells

__all__ = ["UnlabelledCells"]
