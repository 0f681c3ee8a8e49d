"""The steps of all sweeps of a recording, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .steps import Step

__all__ = ["StepTable", "SweepSteps"]


@dataclass(frozen=True)
class SweepSteps:
    """The steps of one sweep.

    Parameters
    ----------
    sweep
        Its number in the file.
    main
        The main step; one of amplitude 0 where the current stays at its base. None if no sweep has any step, or the
        current is unknown.
    before, after
        The other steps, before and after the main one.
    base
        The current before the first step: the holding current. None if the current is unknown.
    """

    sweep: int
    main: Step | None
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    base: float | None = None

    @property
    def all(self) -> tuple[Step, ...]:
        """All steps in the order of time, the main one among them."""
        return (*self.before, *([self.main] if self.main else []), *self.after)


class StepTable(Sequence[SweepSteps]):
    """The steps of all sweeps; printed as a table."""

    def __init__(self, rows: Sequence[SweepSteps], unit: str) -> None:
        self._rows, self.unit = tuple(rows), unit

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return StepTable(self._rows[index], self.unit) if isinstance(index, slice) else self._rows[index]

    def __repr__(self) -> str:
        rows = [("sweep", "main step (ms)", f"amplitude ({self.unit})", f"holding ({self.unit})", "other steps")]
        for row in self:
            main = row.main
            rows.append(
                (
                    str(row.sweep),
                    f"{main.start:.6g} to {main.stop:.6g}" if main else "none",
                    f"{main.amplitude:.4g}{'' if main.constant else ', not constant'}" if main else "",
                    "unknown" if row.base is None else f"{row.base:.4g}",
                    "; ".join(_in_words(x, self.unit) for x in (*row.before, *row.after)) or "none",
                )
            )
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        aligned = [[row[0].rjust(widths[0]), *(row[k].rjust(widths[k]) for k in (1, 2, 3)), row[4]] for row in rows]
        return "\n".join("  ".join(cells) for cells in aligned)


def _in_words(step: Step, unit: str) -> str:
    kind = "" if step.constant else ", not constant"
    return f"{step.start:.6g} to {step.stop:.6g} ms: {step.amplitude:+.4g} {unit}{kind}"
