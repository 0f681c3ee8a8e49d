"""From the equations of a neuron to machine code.

The text of the marked functions, made faster by rewriting.py, is copied into a small generated module, once, around
it the time loop of an integrator. Two forms come from the same text:

    one neuron    every state is a number; all states are recorded
    many neurons  every state is a row of numbers, one per parameter set ("lane"), with one short loop over the lanes
                  per state, which the compiler turns into vector instructions; V is recorded, and all states where
                  the neurons are coupled
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from helpers.neurons import functions
from helpers.neurons.equations import Equation, Neuron

from ..integrators import EXPONENTIAL_EULER, TABLEAUS, Tableau
from ..stimuli import Stimulus
from . import kernels
from .cache import load
from .optimise import Rewritten, rewrite
from .source import called_functions, function_text

__all__ = ["LANES", "TILE", "MAX_HALVINGS", "KernelSpec"]

LANES = 64  # the states and parameters of 64 neurons fit the first-level cache, and fill vector registers of any width

TILE = 32  # steps whose V is collected before it is written out neuron by neuron, and looked at for overflow

MAX_HALVINGS = 9  # halvings of the widest exponential update, which holds for any b·dt


@dataclass(frozen=True)
class KernelSpec:
    """What to compile: a neuron under a stimulus by a method, for one neuron (`lanes` None) or for many at a time.

    halvings: how wide the fast exponential update reaches, see `kernels.relaxation`; exponential Euler only.
    precision: "double", "single", or "plain": double by the C library without shortcuts, to compare with.
    coupling: what the lanes send to each other, see network.py: coupling(V, current, recorded, step, links) is called
        before each step and fills `current` (L,), which is added to the injected one, from `V` (L,) and from what has
        been recorded until then. Its text is copied into the module.
    """

    neuron: type[Neuron]
    stimulus: type[Stimulus]
    method: str = EXPONENTIAL_EULER
    lanes: int | None = None
    halvings: int = 0
    precision: str = "double"
    coupling: Callable[..., None] | None = None

    @property
    def states(self) -> tuple[str, ...]:
        return self.neuron.states

    @property
    def rewritten(self) -> Rewritten:
        """The neuron's equations as they are compiled."""
        return _rewritten(self.neuron, self.precision)

    @functools.cached_property
    def layout(self) -> tuple[str, ...]:
        """What the rows of the working array hold: states, constants, and what the time loop itself keeps."""
        stimulus = (f"stimulus_{name}" for name in self.stimulus.parameters())
        constants = (*self.neuron.parameters(), *self.neuron.derived, *stimulus)
        stages = [f"k{i}_{x}" for i in range(len(self.tableau.b) if self.tableau else 0) for x in self.states]
        inner = [f"at_{x}" for x in self.states] if self.tableau else []
        return (*self.states, *constants, *self.rewritten.names, *inner, *stages, *WORK)

    @property
    def tableau(self) -> Tableau | None:
        return TABLEAUS.get(self.method)

    @property
    def valid_b_dt(self) -> float:
        """The largest b·dt, as the row "max_b_dt" counts it, for which the exponential update is right."""
        return 2.0**self.halvings / 2 if self.halvings < MAX_HALVINGS else np.inf

    def is_noisy(self, workspace: np.ndarray) -> bool:
        """Whether any neuron of the working array (n_rows, lanes) has noise."""
        return "noise" in self.layout and bool(workspace[self.layout.index("noise")].any())

    def max_b_dt(self, work: np.ndarray) -> np.ndarray:
        """The row "max_b_dt" (lanes,) of a working array that the time loop has left."""
        return work.reshape(len(self.layout), -1)[self.layout.index("max_b_dt")]

    @property
    def stops_at_overflow(self) -> bool:
        """Whether a V out of bounds is an error. While the fast update is tried, it only asks for a wider one."""
        return self.tableau is not None or self.halvings >= MAX_HALVINGS

    def compile(self) -> ModuleType:
        """The generated module, with two compiled functions.

        run(workspace, keys, samples, dt, n_steps, noisy, recorded): the time loop. `workspace` (n_rows·L,) holds the
        rows that `layout` names, L lanes each (1 for one neuron), and is left with the last values; `keys` (L,) seed
        the noise; `samples` is the current of a `Waveform`; `recorded` is filled with V, (L, n_steps + 1), or for one
        neuron with all states, (n_states, n_steps + 1). Returns the step at which it ended: less than
        `n_steps` if V went out of all bounds. The row "max_b_dt" ends with the largest b·dt that an exponential update
        met (a quarter of it for V): the result is right where that is within `valid_b_dt`.

        run(..., recorded, links) of coupled neurons: `links` is for the coupling; `samples` has a row per neuron; all
        states are recorded, (L, n_states, n_steps + 1).

        inject(workspace, lane, samples, dt, I): fills `I` with the current injected into one lane.
        """
        return _compiled(self)

    def source(self) -> str:
        """The text of the generated module (worth a look: it is short)."""
        used = [entry for entry in (*self.neuron.equations.values(), self.stimulus.I) if entry is not None]
        kind = "" if self.precision == "double" else f"_{self.precision}"
        names = ["exp", "expm1", "fma", "linoid", "relaxation"]
        names += ["bounded_exp", "linoid_given"] if self.rewritten.exponentials else []
        header = [
            f"# Generated by {__name__} from {self.neuron.__name__} and {self.stimulus.__name__}.",
            "import numpy as np",
            "from numba import njit",
            f"from {kernels.__name__} import LOOP_OPTIONS, OPTIONS",
            f"from {kernels.__name__} import larger, out_of_bounds, sqrt, standard_normals, where",
            f"from {kernels.__name__} import " + ", ".join(f"{name}{kind} as {name}" for name in names),
            f"real = np.{'float32' if self.precision == 'single' else 'float64'}",
        ]
        texts = [function_text(getattr(functions, name), name, self.precision) for name in called_functions(used)]
        texts += self.rewritten.texts
        if self.stimulus.I is not None:
            texts += [function_text(self.stimulus.I, _compiled_name(self.stimulus.I), self.precision)]
        texts += [function_text(self.coupling, "couple", self.precision)] if self.coupling else []
        return "\n".join([*header, "", "", "\n\n\n".join([*texts, *_Loops(self).texts()]), ""])


# ------------------------------------------------------------------------------------------------ the time loop

WORK = ("I", "normal", "next_normal", "max_b_dt", "coupling", "per_C", "shown")  # rows that the time loop itself keeps


class _Loops:
    """Writes the time loop of a kernel as text, line by line."""

    def __init__(self, spec: KernelSpec) -> None:
        self.spec = spec
        self.currents = spec.neuron.currents
        self.event = spec.neuron.event

    def at(self, name: str) -> str:
        """One number of `name`. All rows of all lanes lie in one array: the compiler then sees that no two overlap."""
        lanes = self.spec.lanes
        return f"_{name}" if lanes is None else f"workspace[{self.spec.layout.index(name) * lanes} + lane]"

    def each(self, *lines: str) -> list[str]:
        """These lines for every lane."""
        lanes = self.spec.lanes
        return list(lines) if lanes is None else [f"for lane in range({lanes}):", *_indented(lines)]

    def call(self, entry: Equation, prefix: str = "", moved: bool = False) -> str:
        """An equation applied to its arguments; `moved`: to the states inside a step."""
        given = []
        for name in self.spec.rewritten.arguments.get(_compiled_name(entry), entry.arguments):
            if name in ("t", "dt"):
                given.append(name)
            elif moved and name in self.spec.states:
                given.append(self.at(f"at_{name}"))
            else:
                given.append(self.at(prefix + name))
        return f"{_compiled_name(entry)}({', '.join(given)})"

    def rate(self, state: str, moved: bool = False) -> list[str]:
        """Lines that set a and b in d(state)/dt = a - b·state (for V driven by currents: C times that)."""
        if self.is_membrane(state):
            lines = [f"a = {self.drive()}", "b = real(0.0)"]
            for entry in reversed(self.currents.values()):  # sodium, mostly the first, is known last
                lines += [f"g, E = {self.call(entry, moved=moved)}", "a = fma(g, E, a)", "b += g"]
            return lines
        entry = self.spec.neuron.equations[state]
        if entry.kind == "gate":
            return [f"a, beta = {self.call(entry, moved=moved)}", "b = a + beta"]
        return [f"a, b = {self.call(entry, moved=moved)}"]

    def is_membrane(self, state: str) -> bool:
        return state == "V" and bool(self.currents)

    def exponential_euler(self) -> list[str]:
        """x <- x + (a - b·x)·dt·phi(b·dt): exact while a and b stand still. V first, then the others at the new V."""
        lines = self.hold_current()
        for state in self.spec.states:
            x, halvings, tracked = self.at(state), self.spec.halvings, "z"
            step = "dt"
            if self.is_membrane(state):
                step, halvings, tracked = f"dt * {self.at('per_C')}", halvings + 2, "real(0.25) * z"
            lines += self.each(
                *self.rate(state),
                f"h = {step}",
                "z = b * h",
                f"{self.at('max_b_dt')} = larger({tracked}, {self.at('max_b_dt')})",
                f"{x} = fma(fma(-b, {x}, a) * h, relaxation(z, {halvings}), {x})",
            )
            lines += self.common_exponentials(x) if state == self.spec.states[0] else []
        return lines

    def runge_kutta(self, tableau: Tableau) -> list[str]:
        """All slopes at each stage, then the weighted step. A stage stays inside its interval, where a step is flat."""
        lines = []
        for stage, (row, c) in enumerate(zip(tableau.a, tableau.c, strict=True)):
            for x in self.spec.states:
                terms = " + ".join(f"real({float(q)!r}) * {self.at(f'k{j}_{x}')}" for j, q in enumerate(row) if q)
                moved = f"{self.at(x)} + dt * ({terms})" if terms else self.at(x)
                lines += self.each(f"{self.at(f'at_{x}')} = {moved}")
            if c:
                lines += [
                    f"t = real((step + {min(float(c), 1 - 1e-6)!r}) * exact_dt)" + (self.early() if c == 1 else "")
                ]
            lines += self.common_exponentials(self.at(f"at_{self.spec.states[0]}"))
            lines += self.hold_current()
            for x in self.spec.states:
                scale = f" * {self.at('per_C')}" if self.is_membrane(x) else ""
                slope = f"{self.at(f'k{stage}_{x}')} = (a - b * {self.at(f'at_{x}')}){scale}"
                lines += self.each(*self.rate(x, moved=True), slope)
        for x in self.spec.states:
            terms = " + ".join(f"real({float(q)!r}) * {self.at(f'k{j}_{x}')}" for j, q in enumerate(tableau.b) if q)
            lines += self.each(f"{self.at(x)} = {self.at(x)} + dt * ({terms})")
        return lines

    def early(self) -> str:
        """In single precision the end of a step rounds to the next one's start: one digit less keeps it inside."""
        return f" * real({1 - 2.0**-23!r})" if self.spec.precision == "single" else ""

    def common_exponentials(self, V: str) -> list[str]:
        """Lines that compute at `V` what the equations share."""
        lines = []
        for entry in self.spec.rewritten.exponentials:
            argument = f"real({-float(entry.slope)!r}) * {V}"
            lines += [f"{self.at(entry.row)} = bounded_exp({argument}, real({1 / entry.highest!r}))"]
            lines += [f"{self.at(entry.inverse)} = real(1.0) / {self.at(entry.row)}"] if entry.inverse else []
        return self.each(*lines) if lines else []

    def hold_current(self) -> list[str]:
        """Lines that keep the current that flows now in the row I, for neurons whose states ask for it."""
        asked = any("I" in self.spec.neuron.equations[x].arguments for x in self.spec.states if not self.is_membrane(x))
        return self.each(f"{self.at('I')} = {self.drive()}") if asked else []

    def drive(self) -> str:
        """The current that flows now: stimulus, noise, and what other neurons send."""
        noise = f" + {self.at('noise')} * {self.at('normal')}" if "noise" in self.spec.neuron.parameters() else ""
        return self.injected() + noise + (f" + {self.at('coupling')}" if self.spec.coupling else "")

    def injected(self) -> str:
        sample = "samples[lane, step]" if self.spec.coupling else "samples[step]"
        return sample if self.spec.stimulus.I is None else self.call(self.spec.stimulus.I, "stimulus_")

    def step(self) -> list[str]:
        """One step: noise, integration, and what happens at a spike."""
        lines = ["t = real((step + 1e-6) * exact_dt)  # just inside the interval, where a step has switched"]
        if "noise" in self.spec.neuron.parameters():
            key = "key" if self.spec.lanes is None else "keys[lane]"
            normal, following = self.at("normal"), self.at("next_normal")
            lines += ["if noisy and step % 2 == 0:"]
            draw = f"first, second = standard_normals({key}, step // 2)"
            lines += _indented(self.each(draw, f"{normal} = real(first)", f"{following} = real(second)"))
            lines += ["elif noisy:", *_indented(self.each(f"{normal} = {following}"))]
        lines += self.runge_kutta(self.spec.tableau) if self.spec.tableau else self.exponential_euler()
        if self.event:
            new = ", ".join(self.at(x) for x in self.spec.states)
            lines += self.each(f"{self.at('shown')}, {new} = {self.call(self.event)}")
        return lines

    def before(self) -> list[str]:
        """Lines that prepare the rows. Time is counted in double precision: no step may come late."""
        lines = [f"{self.at(name)} = real(0.0)" for name in WORK if name != "coupling"]
        if self.currents:
            lines += [f"{self.at('per_C')} = real(1.0) / {self.at('C')}"]
        if "noise" in self.spec.neuron.parameters():
            lines += [f"{self.at('noise')} = {self.at('noise')} / real(np.sqrt(dt))"]
        for row in self.spec.rewritten.invariants:
            given = ", ".join(self.at(name) for name in self.spec.rewritten.arguments[row])
            lines += [f"{self.at(row)} = {row}({given})"]
        return ["exact_dt, dt = dt, real(dt)", *self.each(*lines)]

    def texts(self) -> tuple[str, str]:
        """The functions `run` and `inject`."""
        if self.spec.coupling:
            run = self.run_coupled()
        else:
            run = self.run_one() if self.spec.lanes is None else self.run_many()
        fill = [
            "for step in range(len(I)):",
            *_indented(["t = real((step + 1e-6) * dt)", f"I[step] = {self.injected()}"]),
        ]
        head = ["@njit(**LOOP_OPTIONS)", "def inject(workspace, lane, samples, dt, I):"]
        return "\n".join(run), "\n".join([*head, *_indented([*self.unpack(), *fill])])

    def stop(self, condition: str = "") -> list[str]:
        """Lines that end the run where V is out of bounds."""
        lines = [f"if {condition}out_of_bounds({self.at(self.spec.states[0])}):", "    return step"]
        return lines if self.spec.stops_at_overflow else ["pass"]

    def unpack(self) -> list[str]:
        if self.spec.lanes is not None:
            return []
        return [f"{self.at(name)} = workspace[{row}]" for row, name in enumerate(self.spec.layout)]

    def run_one(self) -> list[str]:
        values = ["shown" if self.event and row == 0 else name for row, name in enumerate(self.spec.states)]
        record = [f"recorded[{row}, step + 1] = {self.at(name)}" for row, name in enumerate(values)]
        body = [
            *self.unpack(),
            "key = keys[0]",
            *self.before(),
            *(f"recorded[{row}, 0] = {self.at(name)}" for row, name in enumerate(self.spec.states)),
            "for step in range(n_steps):",
            *_indented(self.step()),
            *_indented(record),
            *_indented(self.stop(f"step % {TILE} == 0 and ")),
            *(f"workspace[{row}] = {self.at(name)}" for row, name in enumerate(self.spec.layout)),
            "return n_steps",
        ]
        return [
            "@njit(**LOOP_OPTIONS)",
            "def run(workspace, keys, samples, dt, n_steps, noisy, recorded):",
            *_indented(body),
        ]

    def run_many(self) -> list[str]:
        lanes, first = self.spec.lanes, self.spec.states[0]
        shown = self.at("shown" if self.event else first)
        written = f"recorded[lane, step - column + 1 + i] = tile[i * {lanes} + lane]"
        body = [
            f"tile = np.empty({TILE * lanes}, recorded.dtype)",
            *self.before(),
            *self.each(f"recorded[lane, 0] = {self.at(first)}"),
            "for step in range(n_steps):",
            *_indented(self.step()),
            f"    column = step % {TILE}",
            *_indented(self.each(f"tile[column * {lanes} + lane] = {shown}")),
            f"    if column == {TILE - 1} or step == n_steps - 1:",
            *_indented(_indented(self.each("for i in range(column + 1):", f"    {written}"))),
            *_indented(_indented(self.each(*self.stop()))),
            "return n_steps",
        ]
        return [
            "@njit(**LOOP_OPTIONS)",
            "def run(workspace, keys, samples, dt, n_steps, noisy, recorded):",
            *_indented(body),
        ]

    def run_coupled(self) -> list[str]:
        """Every state of every neuron is written at once: the coupling looks back at what was recorded."""
        lanes, states = self.spec.lanes, self.spec.states
        shown = ["shown" if self.event and row == 0 else name for row, name in enumerate(states)]
        rows = (f"workspace[{first}:{first + lanes}]" for first in (0, self.spec.layout.index("coupling") * lanes))
        body = [
            *self.before(),
            *self.each(*(f"recorded[lane, {row}, 0] = {self.at(name)}" for row, name in enumerate(states))),
            "for step in range(n_steps):",
            f"    couple({', '.join(rows)}, recorded, step, links)",
            *_indented(self.step()),
            *_indented(self.each(*(f"recorded[lane, {i}, step + 1] = {self.at(x)}" for i, x in enumerate(shown)))),
            *_indented(self.each(*self.stop(f"step % {TILE} == 0 and "))),
            "return n_steps",
        ]
        head = ["@njit(**LOOP_OPTIONS)", "def run(workspace, keys, samples, dt, n_steps, noisy, recorded, links):"]
        return [*head, *_indented(body)]


def _indented(lines: Iterable[str]) -> list[str]:
    return ["    " + line for line in lines]


def _compiled_name(entry: Equation) -> str:
    return f"{entry.kind}_{entry.name}"


@functools.cache
def _rewritten(neuron: type[Neuron], precision: str) -> Rewritten:
    first, *others = neuron.states
    entries = {_compiled_name(entry): entry for entry in neuron.equations.values() if entry and entry.kind != "derived"}
    sharing = [_compiled_name(neuron.equations[state]) for state in others]
    return rewrite(entries, sharing, first, (*neuron.parameters(), *neuron.derived), precision)


@functools.cache
def _compiled(spec: KernelSpec) -> ModuleType:
    return load(spec.source())
