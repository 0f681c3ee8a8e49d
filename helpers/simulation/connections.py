"""Connections between neurons: gap junctions and chemical synapses, frozen dataclasses with declared parameters."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from helpers.neurons.parameters import Declared, parameter

__all__ = ["ChemicalSynapse", "Connection", "GapJunction", "excitatory", "inhibitory"]


class Connection(Declared):
    """Base of the connections, from neuron `pre` to neuron `post`: their names, or their indices in a sequence."""

    pre: Hashable
    post: Hashable

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pre == self.post:
            raise ValueError(f"{type(self).__name__} connects neuron {self.pre!r} to itself; allowed: two neurons")


@dataclass(frozen=True)
class GapJunction(Connection):
    """Channels that join two cells: g·(V_pre - V_post) flows into post and the same current out of pre.

    One object serves both directions. A positive g pulls the two potentials together. A negative g would drive them
    apart, which no membrane does; it is refused unless `allow_negative` is set, to see what a wrong sign does.
    For neurons with currents in pA, g is in nS.
    """

    pre: Hashable
    post: Hashable
    g: float = parameter(0.1, "mS/cm²", "conductance of the gap junction", low=0.0, high=1.0)
    allow_negative: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.g < 0.0 and not self.allow_negative:
            raise ValueError(
                f"g = {self.g:g} mS/cm²; allowed: at least 0 mS/cm². The current g·(V_pre - V_post) flows into post: a "
                "positive g pulls the neurons together, a negative one drives them apart; to try that all the same, "
                "pass allow_negative=True"
            )


@dataclass(frozen=True)
class ChemicalSynapse(Connection):
    """A synapse after Destexhe, Mainen & Sejnowski (1994, Neural Comput 6:14).

    When V of pre rises through `threshold`, transmitter of concentration T is present for `release`, after a `delay`;
    a further spike within that time renews it. The share r of open receptors obeys dr/dt = alpha·T·(1 - r) - beta·r,
    without transmitter dr/dt = -beta·r, both solved exactly within a step. The current g·r·(V_post - E) leaves post.
    `release` and `delay` are multiples of dt. For neurons with currents in pA, g is in nS.
    """

    pre: Hashable
    post: Hashable
    g: float = parameter(0.1, "mS/cm²", "conductance with all receptors open", low=0.0, high=2.0, minimum=0.0)
    E: float = parameter(0.0, "mV", "reversal potential", low=-100.0, high=20.0)
    alpha: float = parameter(1.1, "1/(mM·ms)", "binding rate", low=0.1, high=10.0, minimum=0.0)
    beta: float = parameter(0.19, "1/ms", "unbinding rate", low=0.01, high=2.0, minimum=1e-6)
    T: float = parameter(1.0, "mM", "transmitter concentration", low=0.0, high=5.0, minimum=0.0)
    release: float = parameter(1.0, "ms", "how long transmitter is present", low=0.1, high=5.0, minimum=0.0)
    threshold: float = parameter(0.0, "mV", "V of pre that releases transmitter", low=-40.0, high=20.0)
    delay: float = parameter(0.0, "ms", "time from the spike to the transmitter", low=0.0, high=20.0, minimum=0.0)


def excitatory(pre: Hashable, post: Hashable, g: float = 0.1, **changes: float) -> ChemicalSynapse:
    """Make an AMPA synapse with the constants of Destexhe, Mainen & Sejnowski (1994, J Comput Neurosci 1:195)."""
    constants = {"E": 0.0, "alpha": 1.1, "beta": 0.19, "T": 1.0, "release": 1.0}
    return ChemicalSynapse(pre, post, g, **{**constants, **changes})


def inhibitory(pre: Hashable, post: Hashable, g: float = 0.1, **changes: float) -> ChemicalSynapse:
    """Make a GABA_A synapse with the constants of the same paper."""
    constants = {"E": -80.0, "alpha": 5.0, "beta": 0.18, "T": 1.0, "release": 1.0}
    return ChemicalSynapse(pre, post, g, **{**constants, **changes})
