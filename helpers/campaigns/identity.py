"""What a campaign is: all that its numbers depend on, as plain data that two campaigns can be compared by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from helpers.inference.fingerprint import fingerprint, versions
from helpers.simulation.compiler import kernels
from helpers.simulation.compiler.codegen import LANES, KernelSpec
from helpers.simulation.stimuli import Waveform
from helpers.simulation.summaries import Summary

if TYPE_CHECKING:
    from .campaign import Campaign

__all__ = ["description", "differences"]


def description(campaign: Campaign) -> dict[str, Any]:
    """The campaign as plain data. Code goes in as a fingerprint: of what is run, not of the file that it stands in."""
    neuron, stimulus = type(campaign.neuron), type(campaign.stimulus)
    spec = KernelSpec(neuron, stimulus, campaign.method, LANES, precision=campaign.precision)
    equations = {name: (one.kind, one.arguments, one.function) for name, one in neuron.equations.items()}
    samples = campaign.stimulus.samples if isinstance(campaign.stimulus, Waveform) else None
    named = isinstance(campaign.summarise, Summary)
    return {
        "neuron": {
            "class": neuron.__name__,
            "parameters": campaign.neuron.values(),
            "equations": fingerprint(equations),
        },
        "stimulus": {
            "class": stimulus.__name__,
            "parameters": campaign.stimulus.values(),
            "waveform": fingerprint(stimulus.I and stimulus.I.function, samples),
        },
        "prior": campaign.prior.as_data(),
        "summarise": {
            "statistics": list(campaign.summarise.names) if named else [],
            "function": fingerprint(campaign.summarise.compiled if named else campaign.summarise),
        },
        "duration": float(campaign.duration),
        "dt": float(campaign.dt),
        "seed": campaign.seed,
        "method": campaign.method,
        "precision": campaign.precision,
        "machine code": fingerprint(spec.source(), [kernels.__dict__[name] for name in kernels.__all__]),
        "versions": versions("numpy", "numba", "torch"),
    }


def differences(old: dict[str, Any], new: dict[str, Any], where: str = "") -> Iterator[str]:
    """In words, which entries of a description differ."""
    for name in {**old, **new}:
        a, b = old.get(name), new.get(name)
        if a == b:
            continue
        if isinstance(a, dict) and isinstance(b, dict):
            yield from differences(a, b, f"{where}{name}: ")
        else:
            short = all(isinstance(value, int | float) or len(str(value)) <= 20 for value in (a, b))
            yield f"{where}{name}" + (f" {a}, now {b}" if short else " differs")
