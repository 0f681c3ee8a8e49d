"""The recipes of the networks that come with the series. `./setup_pyhh.sh train` makes their files, in networks/."""

from __future__ import annotations

from helpers.neurons.models import Pospischil
from helpers.simulation.stimuli import step

from .embedding import Convolutional
from .lif.problem import CORRECTED, TWO_LEVELS, WIDE_PRIOR
from .lif.simulator import LifSimulator
from .priors import box_prior
from .recipe import Recipe
from .simulator import NeuronSimulator

__all__ = ["RECIPES"]

_TUTORIAL = NeuronSimulator(Pospischil(), step(3.248, 10.0, 110.0), box_prior(Pospischil, ["g_Na", "g_K"]), 120.0)
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
        Recipe("conductances-3000", _TUTORIAL, 3000, seed=1),
        Recipe("conductances-10000", _TUTORIAL, 10_000, seed=1, training={"batch": 300}),
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
