"""One neuron: every state and constant is a local variable, and all states are recorded."""

from __future__ import annotations

from .step import TILE, StepWriter, indented

__all__ = ["SingleTarget"]


class SingleTarget(StepWriter):
    """Writes the time loop of a single neuron."""

    def at(self, name: str) -> str:
        """The local variable of a number."""
        return f"_{name}"

    def each(self, *lines: str) -> list[str]:
        """The lines unchanged: one neuron."""
        return list(lines)

    def unpack(self) -> list[str]:
        """Lines that make local variables of the workspace."""
        return [f"{self.at(name)} = workspace[{row}]" for row, name in enumerate(self.spec.layout)]

    def run(self) -> list[str]:
        """The time loop."""
        body = [
            *self.unpack(),
            "key = keys[0]",
            *self.before(),
            *(f"recorded[{row}, 0] = {self.at(name)}" for row, name in enumerate(self.spec.states)),
            "for step in range(n_steps):",
            *indented(self.step()),
            *indented(f"recorded[{row}, step + 1] = {self.at(name)}" for row, name in enumerate(self.shown())),
            *indented(self.stop(f"step % {TILE} == 0 and ")),
            *(f"workspace[{row}] = {self.at(name)}" for row, name in enumerate(self.spec.layout)),
            "return n_steps",
        ]
        head = "def run(workspace, keys, samples, dt, n_steps, noisy, recorded):"
        return ["@njit(**LOOP_OPTIONS)", head, *indented(body)]
