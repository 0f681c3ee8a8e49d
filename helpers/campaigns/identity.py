"""What a campaign is: everything that its numbers depend on, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helpers.inference.fingerprint import fingerprint, versions
from helpers.inference.simulator import described
from helpers.simulation.compiler import kernels
from helpers.simulation.compiler.codegen import generated_source
from helpers.simulation.compiler.spec import LANES, KernelSpec
from helpers.simulation.stimuli import Stimulus

if TYPE_CHECKING:
    from .campaign import Campaign

__all__ = ["description"]


def description(campaign: Campaign) -> dict[str, Any]:
    """Return the campaign as plain data that can be compared. Code is represented by a fingerprint."""
    assert isinstance(campaign.stimulus, Stimulus)
    kinds = type(campaign.neuron), type(campaign.stimulus)
    spec = KernelSpec(*kinds, campaign.method, LANES, precision=campaign.precision)
    how = campaign.neuron, campaign.stimulus, campaign.duration, campaign.dt, campaign.summarise
    return described(*how) | {
        "prior": campaign.prior.as_data(),
        "seed": campaign.seed,
        "method": campaign.method,
        "precision": campaign.precision,
        "machine code": fingerprint(generated_source(spec), [kernels.__dict__[name] for name in kernels.__all__]),
        "versions": versions("numpy", "numba", "torch"),
    }
