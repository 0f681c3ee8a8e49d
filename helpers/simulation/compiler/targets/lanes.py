"""Many neurons side by side: every state and constant is a row of numbers, one per lane, and V is recorded."""

from __future__ import annotations

from .step import TILE, StepWriter, indented

__all__ = ["LanesTarget"]


class LanesTarget(StepWriter):
    """Writes the time loop of many neurons. V is collected for TILE steps, then written out lane by lane."""

    key = "keys[lane]"

    @property
    def lanes(self) -> int:
        """How many neurons run side by side."""
        assert self.spec.lanes is not None
        return self.spec.lanes

    def at(self, name: str) -> str:
        """The place of a number in the workspace: one array, so that LLVM sees that no two rows overlap."""
        return f"workspace[{self.spec.layout.index(name) * self.lanes} + lane]"

    def each(self, *lines: str) -> list[str]:
        """A loop over the lanes, which becomes vector instructions."""
        return [f"for lane in range({self.lanes}):", *indented(lines)]

    def run(self) -> list[str]:
        """The time loop."""
        body = [
            f"tile = np.empty({TILE * self.lanes}, recorded.dtype)",
            *self.before(),
            *self.each(f"recorded[lane, 0] = {self.at(self.spec.states[0])}"),
            "for step in range(n_steps):",
            *indented(self.step()),
            f"    column = step % {TILE}",
            *indented(self.each(f"tile[column * {self.lanes} + lane] = {self.at(self.shown()[0])}")),
            f"    if column == {TILE - 1} or step == n_steps - 1:",
            *indented(
                self.each(
                    "for i in range(column + 1):",
                    f"    recorded[lane, step - column + 1 + i] = tile[i * {self.lanes} + lane]",
                ),
                by=2,
            ),
            *indented(self.each(*self.stop()), by=2),
            "return n_steps",
        ]
        head = "def run(workspace, keys, samples, dt, n_steps, noisy, recorded):"
        return ["@njit(**LOOP_OPTIONS)", head, *indented(body)]
