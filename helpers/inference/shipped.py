"""The recipes of the networks that come with the series. `./setup_pyhh.sh train` makes their files, in networks/."""

from __future__ import annotations

from helpers.neurons.models import Pospischil
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import Summary, statistics_and_timing, summary_statistics

from .embedding import Convolutional
from .lif.problem import CORRECTED, TWO_LEVELS, WIDE_PRIOR
from .lif.simulator import LifSimulator
from .priors import box_prior
from .recipe import Recipe
from .simulator import CombinedSimulator, NeuronSimulator

__all__ = ["RECIPES"]

_UP, _DOWN = 3.248, -1.0  # µA/cm²
_TUTORIAL = NeuronSimulator(Pospischil(), step(_UP, 10.0, 110.0), box_prior(Pospischil, ["g_Na", "g_K"]), 120.0)
_EIGHT = box_prior(Pospischil, ["g_Na", "g_K", "g_L", "g_M", "tau_max", "V_T", "noise", "E_L"])


def _eight(amplitude: float, summarise: Summary = summary_statistics) -> NeuronSimulator:
    return NeuronSimulator(Pospischil(), step(amplitude, 10.0, 110.0), _EIGHT, 120.0, 0.025, summarise)


_TWO_STEPS = CombinedSimulator({"up": _eight(_UP), "down": _eight(_DOWN)})
_TWO_STEPS_AND_TIMING = CombinedSimulator({"up": _eight(_UP, statistics_and_timing), "down": _eight(_DOWN)})
_MANY = {"epochs": 40, "batch": 500}
_REFINED = {"model": "refining", "epochs": 12, "batch": 512, "learning_rate": 2e-3, "held_out": 0.02}
_LONG = {"epochs": 50, "batch": 128}

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "conductances",
            _TUTORIAL,
            simulations=90_000,
            seed=21,
            training={"model": "nsf", "epochs": 10, "batch": 300},
        ),
        Recipe("conductances-refined", _TUTORIAL, 300_000, seed=21, training=_REFINED),
        Recipe("conductances-3000", _TUTORIAL, 3000, seed=1),
        Recipe("conductances-10000", _TUTORIAL, 10_000, seed=1, training={"batch": 300}),
        Recipe("eight-one-step", _eight(_UP), 100_000, seed=41, training=_MANY),
        Recipe("eight-two-steps", _TWO_STEPS, 100_000, seed=41, training=_MANY),
        Recipe("eight-two-steps-and-timing", _TWO_STEPS_AND_TIMING, 100_000, seed=41, training=_MANY),
        Recipe("lif-statistics", LifSimulator(CORRECTED, WIDE_PRIOR), 20_000, seed=1, training=_LONG),
        Recipe(
            "lif-recordings",
            LifSimulator(CORRECTED, WIDE_PRIOR, statistics=False),
            20_000,
            seed=1,
            training={**_LONG, "embedding": Convolutional(), "scaling": "standardise"},
        ),
        Recipe("lif-two-levels", LifSimulator(TWO_LEVELS, WIDE_PRIOR), 20_000, seed=1, training=_LONG),
    )
}
