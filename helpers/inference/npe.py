"""Neural posterior estimation: from simulations to a posterior.

NPE (Papamakarios & Murray 2016, Greenberg et al. 2019) with the networks of the sbi library. SNPE is its older name:
the S stands for "sequential", several rounds of it (see rounds.py).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from helpers.validation import instance, plain, whole_number

from .density_estimators import Estimator, Training, repeatable, train_network
from .embedding import Convolutional
from .posterior import Posterior, new_member
from .priors import Prior
from .scaling import Scaling
from .simulator import NeuronSimulator
from .warning_classes import ParametersOnBoundsWarning

__all__ = ["train_npe"]

MIN_SIMULATIONS = 50  # with fewer a network only repeats its prior
ON_BOUND = 1e-12  # of the prior's probability: what lies nearer to a bound was not drawn from the prior


def train_npe(
    prior: Prior,
    theta: np.ndarray,
    x: np.ndarray,
    seed: int,
    *,
    model: str = "maf",
    ensemble: int = 1,
    scaling: str | Scaling = "auto",
    embedding: Convolutional | None = None,
    statistics: Sequence[str] = (),
    simulator: NeuronSimulator | None = None,
    progress: bool = False,
    **training: Any,
) -> Posterior:
    """Train neural networks to give the posterior of parameters for any statistics: NPE, formerly SNPE.

    The same seed gives the same networks on the same machine. Ctrl-C stops and keeps the best network so far.

    Parameters
    ----------
    prior
        What `theta` was drawn from.
    theta
        Parameters of the simulations, (n, n_parameters). Those with a parameter exactly on a bound of the prior are
        left out, with a `ParametersOnBoundsWarning`.
    x
        Their summary statistics, (n, n_statistics), or, with an `embedding`, recordings (n, n_samples, n_channels).
    seed
        Of weights, batches and the choice of held-out simulations.
    model
        Density estimator of sbi: "maf" (autoregressive flow), "small maf" (3 layers of 20 units for 5 of 50: less
        apt to be too narrow after a few thousand simulations), "nsf" (spline flow) or "mdn" (mixture of Gaussians); or
        "refining", see `RefiningEstimator`, for many simulations of a model with little noise.
    ensemble
        Number of networks; their average varies less from seed to seed.
    scaling
        How the statistics are scaled, see `Scaling`; or a `Scaling` that was fitted to `x` already.
    embedding
        The architecture of a network that learns to summarise recordings.
    statistics
        Names of the statistics, or of the channels of a recording.
    simulator
        What made `x`; the posterior then refuses observations that were made in another way.
    progress
        Whether to show a bar with the validation loss.
    training
        epochs, batch, learning_rate, patience and held_out, see `Training`.

    Returns
    -------
    Posterior
        For any observation.

    Raises
    ------
    ValueError
        For arrays that do not fit together, values that are not finite or outside the prior, simulations that are all
        equal, or fewer than 50 of them.
    """
    simulated = None
    if simulator is not None:
        simulator.check_prior(instance("prior", prior, Prior, "a Prior"))
        statistics, simulated = statistics or simulator.summarise.names, simulator.as_data()
    theta, x = _off_bounds(prior, *checked(prior, theta, x, statistics, 2 if embedding is None else 3))
    fitted = scaling if isinstance(scaling, Scaling) else Scaling.of(x, scaling)
    z, scaled = (
        prior.to_normal(torch.as_tensor(theta)).float(),
        torch.cat([*map(fitted, torch.as_tensor(x).split(1000))]),
    )
    return fit(
        prior, fitted, z, scaled, seed, model=model, ensemble=ensemble, embedding=embedding, statistics=statistics,
        simulated=simulated, progress=progress, **training,
    )  # fmt: skip


def fit(
    prior: Prior,
    scaling: Scaling,
    z: torch.Tensor,
    scaled: torch.Tensor,
    seed: int,
    *,
    model: str = "maf",
    ensemble: int = 1,
    embedding: Convolutional | None = None,
    statistics: Sequence[str] = (),
    simulated: Mapping[str, Any] | None = None,
    progress: bool = False,
    **training: Any,
) -> Posterior:
    """Train on what networks see: standard normal numbers `z` (n, n_parameters) and scaled statistics (n, ...).

    The other arguments are those of `train_npe`. Only one batch of rows is read at a time, so `z` and `scaled` may be
    on disk.
    """
    ensemble = whole_number("ensemble", ensemble, 1)
    how, shape = Training(**training).for_simulations(len(z)), scaled.shape[1:]
    members: list[tuple[torch.nn.Module, torch.nn.Module]] = []
    losses: list[np.ndarray] = []
    stopped = False
    with repeatable(seed), tqdm(total=ensemble * (how.epochs or 0), unit="epoch", disable=not progress) as bar:
        while len(members) < ensemble and not stopped:
            member = new_member(model, z.shape[1], shape, embedding)
            try:
                loss, stopped = train_network(*member, z, scaled, how, bar)
            except KeyboardInterrupt:
                if not members:
                    raise
                stopped = True
            else:
                members.append(member)
                losses.append(loss)
    networks, embeddings = zip(*members, strict=True)
    estimator = Estimator(prior, scaling, networks, embeddings, shape).eval()
    return Posterior(prior, estimator, model, tuple(losses), tuple(statistics), stopped, embedding, simulated)


def checked(
    prior: Prior, theta: np.ndarray, x: np.ndarray, statistics: Sequence[str], dimensions: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return parameters and statistics as arrays. Raises ValueError if nothing can be learned from them."""
    theta = np.array(plain("theta", theta, "parameters"))  # a copy: torch does not accept negative strides
    if not (isinstance(x, np.ndarray) and x.dtype == np.float32):  # recordings are large
        x = np.array(plain("x", x, "statistics"))
    instance("prior", prior, Prior, "a Prior")
    if theta.ndim != 2 or x.ndim != dimensions or len(theta) != len(x) or theta.shape[1] != len(prior.names):
        wanted = "(n, n_statistics)" if dimensions == 2 else "(n, n_samples, n_channels), which the embedding looks at"
        raise ValueError(
            f"theta {theta.shape} and x {x.shape} do not fit together; allowed: (n, {len(prior.names)}) and {wanted}"
        )
    if statistics and len(statistics) != x.shape[-1]:
        raise ValueError(f"x has {x.shape[-1]} columns for {len(statistics)} statistics, {', '.join(statistics)}")
    if len(theta) < MIN_SIMULATIONS:
        raise ValueError(f"{len(theta)} simulations are too few to train on; allowed: at least {MIN_SIMULATIONS}")
    for name, values in (("theta", theta), ("x", x)):
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values).reshape(len(values), -1).all(axis=1)))
            raise ValueError(
                f"{name}[{row}] = {values[row]} is not finite: leave such simulations out, or give a statistic that is "
                "undefined a stated value"
            )
    if (np.ptp(x, axis=0) == 0).all():
        raise ValueError(f"all {len(x)} simulations give the same statistics, {x[0]} (all silent?): nothing to learn")
    return prior.check(theta), x


def _off_bounds(prior: Prior, theta: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out simulations with a parameter on a bound of the prior, with a warning.

    Moved inside instead, they would have to go to a place that somebody chooses, with more weight than the prior has
    there. Without them a clipped design is one from the prior again, and a grid has its other points.
    """
    shares = prior.shares(torch.as_tensor(theta)).numpy()
    on_bound = (shares < ON_BOUND) | (shares > 1 - ON_BOUND)
    left_out = ParametersOnBoundsWarning.of(prior.names, on_bound)
    if left_out is None:
        return theta, x
    inside = ~on_bound.any(axis=1)
    if inside.sum() < MIN_SIMULATIONS:
        raise ValueError(
            f"theta: {left_out.left_out} of {left_out.simulations} simulations have a parameter exactly on a bound of "
            f"the prior; without them {inside.sum()} are too few to train on, allowed: at least {MIN_SIMULATIONS}. "
            "Draw parameters with prior.draw"
        )
    warnings.warn(left_out, stacklevel=3)
    return theta[inside], x[inside]
