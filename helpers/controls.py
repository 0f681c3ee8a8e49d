"""What a learner can turn: a dial for a number and a list for a choice. Both show when they are off their default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import ipywidgets as widgets
import traitlets

from .parameters import Parameter

__all__ = ["Choice", "Control", "Dial"]

POSITIONS = 100  # of a slider, beside its left end
LABEL = "138px"  # the width of the longest, noise (µA/cm²·√ms)


class Control(widgets.HBox):
    """One thing that can be set. While `value` is off its default a button beside it says what the default is.

    `ends` are the values that a check drives it to.
    """

    value = traitlets.Any()

    def __init__(self, name: str, default: Any, ends: Sequence[Any], shown: str, parts: Sequence[widgets.Widget]):
        self.name, self.default, self.ends = name, default, tuple(ends)
        self.mark = widgets.Button(
            description=f"↺ {shown}",
            tooltip=f"{name}: back to its default, {shown}",
            layout={"width": "auto", "min_width": "58px", "padding": "0 4px"},
        )
        self.mark.on_click(lambda _: self.reset())
        super().__init__([*parts, self.mark], layout={"flex_flow": "row wrap"})
        self.observe(lambda _: self._mark(), names="value")
        self.value = default
        self._mark()

    def _mark(self) -> None:
        self.mark.layout.visibility = "hidden" if self.value == self.default else "visible"

    def reset(self) -> None:
        """Bring the default back."""
        self.value = self.default


class Choice(Control):
    """One of several words or numbers, from a list.

    options: what can be chosen, or a mapping of what is shown to what it stands for.
    """

    def __init__(self, name: str, options: Sequence[Any] | Mapping[str, Any], default: Any, meaning: str) -> None:
        pairs = list(options.items() if isinstance(options, Mapping) else ((str(option), option) for option in options))
        self.list = widgets.Dropdown(
            options=pairs,
            value=default,
            description=name,
            tooltip=f"{meaning}: Space, arrow keys, Enter",
            style={"description_width": LABEL},
            layout={"width": "304px"},
        )
        ends = [value for _, value in pairs]
        super().__init__(name, default, ends, pairs[ends.index(default)][0], [self.list])
        self.observe(lambda change: self.list.set_trait("value", change.new), names="value")
        self.list.observe(lambda change: self.set_trait("value", change.new), names="value")

    @traitlets.validate("value")
    def _check(self, proposal: Any) -> Any:
        if proposal.value not in self.ends:
            raise ValueError(f"{self.name} = {proposal.value!r}; allowed: {', '.join(map(str, self.ends))}")
        return proposal.value


class Dial(Control):
    """One parameter: a box that takes any number of its range, and a slider in hundredths of the range.

    `value` is exact: what is typed stays as it is, and the slider shows the nearest of its positions. Set it from
    Python as well; a number beyond `min` or `max` becomes the nearer end.
    """

    value = traitlets.Float()

    def __init__(self, declared: Parameter) -> None:
        self.min, self.max = declared.low, declared.high
        self.box = widgets.BoundedFloatText(
            value=declared.default,
            min=self.min,
            max=self.max,
            step=(self.max - self.min) / POSITIONS,
            description=declared.label,
            tooltip=f"{declared.meaning}, as a number",
            style={"description_width": LABEL},
            layout={"width": "216px"},
        )
        # Whole numbers: a browser rounds others in its own way, and would send them back as if somebody had moved it.
        self.slider = widgets.IntSlider(
            value=self._nearest(declared.default),
            max=POSITIONS,
            tooltip=f"{declared.meaning}: drag, PageUp or PageDown",
            readout=False,
            layout={"width": "84px"},
        )
        shown = f"{declared.default:g}"
        super().__init__(declared.name, declared.default, (self.min, self.max), shown, [self.box, self.slider])
        self.observe(lambda change: self._show(change.new), names="value")
        self.box.observe(lambda change: self.set_trait("value", change.new), names="value")
        self.slider.observe(lambda change: self._moved(change.new), names="value")

    @traitlets.validate("value")
    def _check(self, proposal: Any) -> float:
        if not isfinite(proposal.value):
            raise ValueError(f"{self.name} = {proposal.value}; allowed: from {self.min:g} to {self.max:g}")
        return min(max(proposal.value, self.min), self.max)

    def _nearest(self, value: float) -> int:
        """The slider's position nearest to `value`."""
        return round(POSITIONS * (value - self.min) / (self.max - self.min))

    def _show(self, value: float) -> None:
        self.box.value, self.slider.value = value, self._nearest(value)

    def _moved(self, position: int) -> None:
        if position != self._nearest(self.value):  # moved by hand, not by `_show`
            exact = self.min + position * (self.max - self.min) / POSITIONS
            self.value = float(f"{exact:.12g}")  # without the last digits that the sum gets wrong
