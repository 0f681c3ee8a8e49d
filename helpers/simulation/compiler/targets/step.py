"""One time step, line by line, as all targets that Numba compiles have it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from helpers.neurons.equations import Equation

from ...integrators import Tableau
from ..source import compiled_name
from ..spec import SCRATCH, KernelSpec

__all__ = ["TILE", "StepWriter", "indented"]

TILE = 32  # steps between looks at V for an overflow


class StepWriter(ABC):
    """Writes what all targets share. A target says where numbers live, for which neurons lines run, and the loop."""

    key = "key"  # of the noise
    sample = "samples[step]"  # of a waveform

    def __init__(self, spec: KernelSpec) -> None:
        self.spec = spec
        self.currents, self.event = spec.neuron.currents, spec.neuron.event
        self.noisy = "noise" in spec.neuron.parameters()

    @abstractmethod
    def at(self, name: str) -> str:
        """The place of a number, by the name of its row."""

    @abstractmethod
    def each(self, *lines: str) -> list[str]:
        """These lines for every neuron."""

    @abstractmethod
    def run(self) -> list[str]:
        """The time loop, `run`."""

    def texts(self) -> tuple[str, str]:
        """The functions `run` and `inject`."""
        inject = [
            "@njit(**LOOP_OPTIONS)",
            "def inject(workspace, lane, samples, dt, I):",
            *indented(self.unpack()),
            "    for step in range(len(I)):",
            "        t = real((step + 1e-6) * dt)",
            f"        I[step] = {self.injected()}",
        ]
        return "\n".join(self.run()), "\n".join(inject)

    def unpack(self) -> list[str]:
        """Lines that take the numbers out of the workspace, for a target that keeps them elsewhere."""
        return []

    # ------------------------------------------------------------------------------------------- the equations

    def call(self, entry: Equation, prefix: str = "", moved: bool = False) -> str:
        """An equation applied to its arguments; `moved`: to the states inside a step."""
        known = self.spec.equations.functions.get(compiled_name(entry))
        given = []
        for name in known.arguments if known else entry.arguments:
            if name in ("t", "dt"):
                given.append(name)
            elif moved and name in self.spec.states:
                given.append(self.at(f"at_{name}"))
            else:
                given.append(self.at(prefix + name))
        return f"{compiled_name(entry)}({', '.join(given)})"

    def rate(self, state: str, moved: bool = False) -> list[str]:
        """Lines that set a and b in d(state)/dt = a - b·state (for V driven by currents: C times that)."""
        if self.is_membrane(state):
            lines = [f"a = {self.drive()}", "b = real(0.0)"]
            for entry in reversed(list(self.currents.values())):  # sodium, mostly the first, is known last
                lines += [f"g, E = {self.call(entry, moved=moved)}", "a = fma(g, E, a)", "b += g"]
            return lines
        entry = self.spec.neuron.equations[state]
        if entry.kind == "gate":
            return [f"a, beta = {self.call(entry, moved=moved)}", "b = a + beta"]
        return [f"a, b = {self.call(entry, moved=moved)}"]

    def is_membrane(self, state: str) -> bool:
        """Whether ionic currents drive this state."""
        return state == "V" and bool(self.currents)

    def injected(self) -> str:
        """The stimulus now."""
        return self.sample if self.spec.stimulus.I is None else self.call(self.spec.stimulus.I, "stimulus_")

    def drive(self) -> str:
        """The current that flows now: stimulus, noise, and what a target adds."""
        return self.injected() + (f" + {self.at('noise')} * {self.at('normal')}" if self.noisy else "")

    def store_drive(self) -> list[str]:
        """Lines that keep the current that flows now in the row I, for neurons whose states ask for it."""
        asked = any("I" in self.spec.neuron.equations[x].arguments for x in self.spec.states if not self.is_membrane(x))
        return self.each(f"{self.at('I')} = {self.drive()}") if asked else []

    def common_exponentials(self, V: str) -> list[str]:
        """Lines that compute at `V` the exponentials that the equations share."""
        lines = []
        for entry in self.spec.equations.exponentials:
            argument = f"real({-float(entry.slope)!r}) * {V}"
            lines += [f"{self.at(entry.row)} = bounded_exp({argument}, real({1 / entry.max_power!r}))"]
            lines += [f"{self.at(entry.inverse)} = real(1.0) / {self.at(entry.row)}"] if entry.inverse else []
        return self.each(*lines) if lines else []

    # ------------------------------------------------------------------------------------------------ one step

    def before(self) -> list[str]:
        """Lines that prepare the rows. Time is counted in double precision, so that no step comes late."""
        lines = [f"{self.at(name)} = real(0.0)" for name in SCRATCH if name != "coupling"]
        if self.currents:
            lines += [f"{self.at('per_C')} = real(1.0) / {self.at('C')}"]
        if self.noisy:
            lines += [f"{self.at('noise')} = {self.at('noise')} / real(np.sqrt(dt))"]
        for row in self.spec.equations.invariants:
            given = ", ".join(self.at(name) for name in self.spec.equations.functions[row].arguments)
            lines += [f"{self.at(row)} = {row}({given})"]
        return ["exact_dt, dt = dt, real(dt)", *self.each(*lines)]

    def step(self) -> list[str]:
        """One step: noise, integration, and what happens at a spike."""
        lines = ["t = real((step + 1e-6) * exact_dt)  # just inside the interval, where a step has switched"]
        if self.noisy:
            normal, following = self.at("normal"), self.at("next_normal")
            draw = f"first, second = standard_normals({self.key}, step // 2)"
            lines += ["if noisy and step % 2 == 0:"]
            lines += indented(self.each(draw, f"{normal} = real(first)", f"{following} = real(second)"))
            lines += ["elif noisy:", *indented(self.each(f"{normal} = {following}"))]
        lines += self.runge_kutta(self.spec.tableau) if self.spec.tableau else self.exponential_euler()
        if self.event:
            new = ", ".join(self.at(x) for x in self.spec.states)
            lines += self.each(f"{self.at('shown')}, {new} = {self.call(self.event)}")
        return lines

    def exponential_euler(self) -> list[str]:
        """See `integrators.exponential_euler_step`: V first, then the others in order at the new V."""
        lines = self.store_drive()
        for state in self.spec.states:
            x, halvings, tracked, h = self.at(state), self.spec.halvings, "z", "dt"
            if self.is_membrane(state):
                h, halvings, tracked = f"dt * {self.at('per_C')}", halvings + 2, "real(0.25) * z"
            lines += self.each(
                *self.rate(state),
                f"h = {h}",
                "z = b * h",
                f"{self.at('max_b_dt')} = larger({tracked}, {self.at('max_b_dt')})",
                f"{x} = fma(fma(-b, {x}, a) * h, relaxation(z, {halvings}), {x})",
            )
            lines += self.common_exponentials(x) if state == self.spec.states[0] else []
        return lines

    def runge_kutta(self, tableau: Tableau) -> list[str]:
        """See `integrators.runge_kutta_step`. A stage stays inside its interval, where a step stimulus is constant."""
        lines = []
        for stage, (row, c) in enumerate(zip(tableau.a, tableau.c, strict=True)):
            for x in self.spec.states:
                terms = self.weighted(row, x)
                lines += self.each(f"{self.at(f'at_{x}')} = {self.at(x)}" + (f" + dt * ({terms})" if terms else ""))
            if c:
                time = f"t = real((step + {min(float(c), 1 - 1e-6)!r}) * exact_dt)"
                lines += [time + (self.early() if c == 1 else "")]
            lines += self.common_exponentials(self.at(f"at_{self.spec.states[0]}"))
            lines += self.store_drive()
            for x in self.spec.states:
                scale = f" * {self.at('per_C')}" if self.is_membrane(x) else ""
                slope = f"{self.at(f'k{stage}_{x}')} = (a - b * {self.at(f'at_{x}')}){scale}"
                lines += self.each(*self.rate(x, moved=True), slope)
        for x in self.spec.states:
            lines += self.each(f"{self.at(x)} = {self.at(x)} + dt * ({self.weighted(tableau.b, x)})")
        return lines

    def weighted(self, weights: Iterable, state: str) -> str:
        """The weighted sum of the slopes k of a state."""
        return " + ".join(f"real({float(w)!r}) * {self.at(f'k{j}_{state}')}" for j, w in enumerate(weights) if w)

    def early(self) -> str:
        """In single precision the end of a step rounds to the next one's start: one digit less keeps it inside."""
        return f" * real({1 - 2.0**-23!r})" if self.spec.precision == "single" else ""

    def stop(self, condition: str = "") -> list[str]:
        """Lines that end the run where V is out of bounds."""
        lines = [f"if {condition}out_of_bounds({self.at(self.spec.states[0])}):", "    return step"]
        return lines if self.spec.stops_at_overflow else ["pass"]

    def shown(self) -> list[str]:
        """The rows that are recorded, one per state: of a neuron that is reset, what it shows of the first."""
        return ["shown" if self.event and i == 0 else name for i, name in enumerate(self.spec.states)]


def indented(lines: Iterable[str], by: int = 1) -> list[str]:
    """The lines, `by` levels deeper."""
    return ["    " * by + line for line in lines]
