"""One declaration per parameter: default, unit, meaning and range in one line, from which everything else follows.

    g_Na: float = parameter(120.0, "mS/cm²", "maximal sodium conductance", low=0.0, high=200.0, minimum=0.0)

That line gives the docstring, the error message for a bad value, the slider, the axis label and the default prior.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, FrozenInstanceError, dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from helpers.validation import did_you_mean, plain, range_in_words

__all__ = ["Declared", "Parameter", "parameter"]

DECORATOR = "@dataclass(frozen=True, kw_only=True)"


@dataclass(frozen=True)
class Parameter:
    """What is known about a parameter.

    Parameters
    ----------
    name, default, unit, meaning
        Its name, default value, unit ("" for none) and meaning.
    low, high
        Plausible range, for sliders and default priors.
    minimum, maximum
        Allowed range, both inclusive: a value outside is refused.
    """

    name: str
    default: float
    unit: str
    meaning: str
    low: float
    high: float
    minimum: float
    maximum: float

    @property
    def label(self) -> str:
        """Axis label, e.g. "g_Na (mS/cm²)"."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def allowed(self) -> str:
        """The allowed range in words, for error messages."""
        return range_in_words(self.unit, self.minimum, self.maximum) or "a finite number"

    def check(self, value: Any) -> np.ndarray:
        """Return `value` as an array of floats, or raise ValueError with name, value, unit and allowed range."""
        values = plain(self.name, value, self.allowed)
        bad = ~(np.isfinite(values) & (values >= self.minimum) & (values <= self.maximum))
        if bad.any():
            where = f" (entry {int(np.argmax(bad.ravel()))})" if values.ndim else ""
            worst = values[bad].ravel()[0] if values.ndim else float(values)
            raise ValueError(f"{self.name} = {f'{worst:g} {self.unit}'.rstrip()}{where}; allowed: {self.allowed}")
        return values


def parameter(
    default: float,
    unit: str,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    minimum: float = -np.inf,
    maximum: float = np.inf,
) -> Any:
    """Declare a parameter as a field of a frozen dataclass (see `Parameter` for the arguments).

    Raises
    ------
    TypeError
        Without `low` or `high`.
    """
    if low is None or high is None:
        raise TypeError(
            f"parameter({default!r}, {unit!r}, {meaning!r}) lacks its plausible range, for sliders and priors; "
            "add low=..., high=..."
        )
    declared = dict(default=default, unit=unit, meaning=meaning, low=low, high=high, minimum=minimum, maximum=maximum)
    return field(default=default, metadata=declared)


class Declared:
    """Base of the frozen dataclasses whose fields are parameters: it checks values and documents itself."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [
            f"    {name}: {value.metadata['meaning']}"
            + (f" [{value.metadata['unit']}]" if value.metadata["unit"] else "")
            + f", default {value.metadata['default']:g}"
            for name, value in vars(cls).items()
            if hasattr(value, "metadata") and "unit" in value.metadata
        ]
        if own:
            cls.__doc__ = (
                (cls.__doc__ or cls.__name__).rstrip() + "\n\n    Parameters\n    ----------\n" + "\n".join(own)
            )

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Refuse arguments that the class does not have, in words that help."""
        cls._refuse_undecorated()
        known = [entry.name for entry in fields(cls) if entry.init]  # type: ignore[arg-type]
        unknown = [name for name in kwargs if name not in cls.__dataclass_fields__]  # type: ignore[attr-defined]
        if unknown:
            near = did_you_mean(unknown[0], known) or ";"
            raise TypeError(f"{cls.__name__} has no parameter {unknown[0]}{near} {cls.__name__} has {', '.join(known)}")
        if args and all(entry.kw_only for entry in fields(cls)):  # type: ignore[arg-type]
            example = f"{cls.__name__}({known[0]}={args[0]!r})"
            raise TypeError(f"{cls.__name__} takes its parameters by name, such as {example}")
        if "__setattr__" in vars(cls):  # the dataclass's own message says what cannot be done, this one what can
            cls.__setattr__ = Declared._refuse_change  # type: ignore[method-assign, assignment]
        return super().__new__(cls)

    @classmethod
    def _refuse_undecorated(cls) -> None:
        if "__dataclass_fields__" not in vars(cls):
            forgotten = [name for name, value in vars(cls).items() if isinstance(value, Field)]
            if forgotten:
                raise TypeError(
                    f"{cls.__name__} does not know its parameter {forgotten[0]}: write {DECORATOR} above the line "
                    f"class {cls.__name__}"
                )
        elif not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            raise TypeError(f"{cls.__name__} could be changed: write {DECORATOR} above the line class {cls.__name__}")

    def _refuse_change(self, name: str, value: Any) -> None:
        kind = next(base.__name__.lower() for base in type(self).__mro__ if Declared in base.__bases__)
        wanted = did_you_mean(name, self.parameters()) if name not in self.parameters() else ""
        raise FrozenInstanceError(
            f"a {kind} cannot be changed; make another one: {kind}.with_({name}={value!r}){wanted}"
        )

    def with_(self, **changes: Any) -> Self:
        """Return a copy with other values of some parameters, by name: `neuron.with_(g_Na=100.0)`."""
        return replace(self, **changes)  # type: ignore[type-var]

    def __post_init__(self) -> None:
        for declared in self.parameters().values():
            value = declared.check(getattr(self, declared.name))
            if value.ndim:
                raise ValueError(
                    f"{declared.name} takes one number, got an array of shape {value.shape}; "
                    "to run many values at once use simulate_many"
                )
            object.__setattr__(self, declared.name, float(value))

    @classmethod
    def parameters(cls) -> Mapping[str, Parameter]:
        """Return every parameter by name, in the order of declaration."""
        cls._refuse_undecorated()
        return {
            f.name: Parameter(name=f.name, **f.metadata)
            for f in fields(cls)  # type: ignore[arg-type]
            if "unit" in f.metadata
        }

    def __str__(self) -> str:
        """The class, and what is not at its default."""
        own = self.values()
        changed = [name for name, declared in self.parameters().items() if own[name] != declared.default]
        return f"{type(self).__name__}({', '.join(f'{name}={own[name]:g}' for name in changed)})"

    def values(self) -> dict[str, float]:
        """Return the value of every parameter by name."""
        return {name: getattr(self, name) for name in self.parameters()}
