"""What a learner can turn: a dial for a number and a list for a choice. Both show when they are off their default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import anywidget
import traitlets

from helpers.neurons.parameters import Parameter

from .assets import text_of

__all__ = ["Choice", "Control", "Dial"]


class Control(anywidget.AnyWidget):
    """One thing that can be set, by `value` or in the browser (control.js). Its row has a way back to its default.

    `ends` are the values that a check drives it to.
    """

    _esm = text_of("controls.js", "control.js")
    _css = text_of("controls.css")
    about = traitlets.Dict().tag(sync=True)
    value = traitlets.Any()

    def __init__(self, name: str, default: Any, ends: Sequence[Any], about: Mapping[str, Any]) -> None:
        self.name, self.default, self.ends = name, default, tuple(ends)
        super().__init__(about={"name": name, **about})
        self.value = default

    def reset(self) -> None:
        """Bring the default back."""
        self.value = self.default


class Choice(Control):
    """One of several words or numbers, from a list.

    options: what can be chosen, or a mapping of what is shown to what it stands for.
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
        """What the list shows now."""
        return self.about["options"][self.index]

    @traitlets.validate("value")
    def _check(self, proposal: Any) -> Any:
        if proposal.value not in self.ends:
            raise ValueError(f"{self.name} = {proposal.value!r}; allowed: {', '.join(map(str, self.ends))}")
        return proposal.value


class Dial(Control):
    """One parameter: a box that takes any number of its range, and a slider in round steps.

    `value` is exact: what is typed stays as it is, and the slider shows the nearest of its positions. Set it from
    Python as well; a number beyond `min` or `max` becomes the nearer end.
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
