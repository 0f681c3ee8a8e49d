"""Coupled neurons: lanes that see each other's V before each step; all states of all neurons are recorded."""

from __future__ import annotations

from .lanes import LanesTarget
from .step import TILE, indented

__all__ = ["NetworkTarget"]


class NetworkTarget(LanesTarget):
    """Writes the time loop of a network. Every state is written at once: the coupling looks back at it."""

    sample = "samples[lane, step]"

    def drive(self) -> str:
        """The current that flows now, with that from other neurons."""
        return f"{super().drive()} + {self.at('coupling')}"

    def run(self) -> list[str]:
        """The time loop."""
        coupling = self.spec.layout.index("coupling") * self.lanes
        V, current = (f"workspace[{first}:{first + self.lanes}]" for first in (0, coupling))
        states, shown = self.spec.states, self.shown()
        body = [
            *self.before(),
            *self.each(*(f"recorded[lane, {row}, 0] = {self.at(name)}" for row, name in enumerate(states))),
            "for step in range(n_steps):",
            f"    couple({V}, {current}, recorded, step, links)",
            *indented(self.step()),
            *indented(self.each(*(f"recorded[lane, {i}, step + 1] = {self.at(x)}" for i, x in enumerate(shown)))),
            *indented(self.each(*self.stop(f"step % {TILE} == 0 and "))),
            "return n_steps",
        ]
        head = "def run(workspace, keys, samples, dt, n_steps, noisy, recorded, links):"
        return ["@njit(**LOOP_OPTIONS)", head, *indented(body)]
