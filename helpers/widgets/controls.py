"""What a learner can set: a slider for a number, a dropdown for a choice. Each is marked when off its default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import anywidget
import traitlets

from helpers.neurons.parameters import Parameter

from .assets import text_of

__all__ = ["Control", "Dropdown", "Slider"]


class Control(anywidget.AnyWidget):
    """One thing that can be set, through `value` or in the browser, where its row has a reset button.

    Attributes
    ----------
    name, default
        Name of the argument that it sets, and its value at first.
    ends
        The values that a check drives it to.
    """

    _esm = text_of("inputs.js", "explorer_control.js")
    _css = text_of("inputs.css")
    about = traitlets.Dict().tag(sync=True)
    value = traitlets.Any()

    def __init__(self, name: str, default: Any, ends: Sequence[Any], about: Mapping[str, Any]) -> None:
        self.name, self.default, self.ends = name, default, tuple(ends)
        super().__init__(about={"name": name, **about})
        self.value = default

    def reset(self) -> None:
        """Set the default again."""
        self.value = self.default


class Dropdown(Control):
    """One of several words or numbers.

    Parameters
    ----------
    name
        Name of the argument that it sets.
    options
        What can be chosen, or a mapping from what is shown to what it stands for.
    default
        One of the options.
    meaning
        Shown as a tooltip and read out by screen readers.
    """

    index = traitlets.Int().tag(sync=True)

    def __init__(self, name: str, options: Sequence[Any] | Mapping[str, Any], default: Any, meaning: str) -> None:
        shown = dict(options) if isinstance(options, Mapping) else {str(option): option for option in options}
        ends = list(shown.values())
        about = {"meaning": meaning, "options": list(shown), "default": ends.index(default)}
        super().__init__(name, default, ends, about)
        self.observe(lambda change: self.set_trait("index", self.ends.index(change.new)), names="value")
        self.observe(lambda change: self.set_trait("value", self.ends[change.new]), names="index")
        self.index = ends.index(default)

    @property
    def label(self) -> str:
        """What the dropdown shows now."""
        return self.about["options"][self.index]

    @traitlets.validate("value")
    def _check(self, proposal: Any) -> Any:
        if proposal.value not in self.ends:
            raise ValueError(f"{self.name} = {proposal.value!r}; allowed: {', '.join(map(str, self.ends))}")
        return proposal.value


class Slider(Control):
    """One number: a box that takes any value within its range, and a slider in round steps.

    `value` is exact: what is typed is kept unchanged, and the slider shows the nearest of its positions. A number
    beyond `min` or `max` becomes the nearer end.

    Parameters
    ----------
    declared
        Name, unit, meaning, range and default.
    """

    value = traitlets.Float().tag(sync=True)

    def __init__(self, declared: Parameter) -> None:
        self.min, self.max = declared.low, declared.high
        about = {key: getattr(declared, key) for key in ("unit", "meaning", "low", "high", "default")}
        super().__init__(declared.name, declared.default, (self.min, self.max), about)

    @traitlets.validate("value")
    def _check(self, proposal: Any) -> float:
        if not isfinite(proposal.value):
            raise ValueError(f"{self.name} = {proposal.value}; allowed: from {self.min:g} to {self.max:g}")
        return min(max(proposal.value, self.min), self.max)
