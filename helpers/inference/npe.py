"""Neural posterior estimation: from simulations to a posterior.

NPE (Papamakarios & Murray 2016, Greenberg et al. 2019) with the networks of the sbi library. SNPE is its older name:
the S stands for "sequential", several rounds of it (see truncated_rounds.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from helpers.validation import instance, plain, whole_number

from .density_estimators import Estimator, Training, repeatable, train
from .embedding import Convolutional
from .posterior import Posterior, new_member
from .priors import Prior
from .scaling import Features
from .simulator import NeuronSimulator

__all__ = ["train_npe"]

MIN_SIMULATIONS = 50  # with fewer a network only repeats its prior


def train_npe(
    prior: Prior,
    theta: np.ndarray,
    x: np.ndarray,
    seed: int,
    *,
    model: str = "maf",
    ensemble: int = 1,
    features: str = "auto",
    embedding: Convolutional | None = None,
    statistics: Sequence[str] = (),
    simulator: NeuronSimulator | None = None,
    progress: bool = False,
    **training: Any,
) -> Posterior:
    """Train neural networks to give the posterior of `theta` for any statistics `x`: NPE, formerly SNPE.

    theta: (n, n_parameters) draws from the prior; x: (n, n_statistics) the statistics that each gave, or, with an
        `embedding`, recordings (n, n_samples, n_channels) that a network of that kind learns to summarise.
    model: density estimator of sbi: "maf" (autoregressive flow), "nsf" (spline flow), "mdn" (mixture of Gaussians).
    ensemble: how many networks; their average scatters less from seed to seed.
    features: how the statistics are brought onto scale, see `Features`. statistics: their names (of a recording, those
        of its channels), for messages.
    progress: show a bar with the validation loss. training: epochs, batch, learning_rate, patience, see `Training`.
    The same seed gives the same networks on the same machine. Ctrl-C stops and keeps the best network so far.
    Raises ValueError for arrays that do not fit together, values that are not finite or off the prior, simulations that
    are all the same, or less than 50 of them.
    """
    simulated = None
    if simulator is not None:
        statistics, simulated = statistics or simulator.summarise.names, simulator.as_data()
    theta, x = checked(prior, theta, x, statistics, 2 if embedding is None else 3)
    scale = Features.of(x, features)
    z, seen = prior.to_normal(torch.as_tensor(theta)).float(), torch.cat([*map(scale, torch.as_tensor(x).split(1000))])
    return fit(
        prior, scale, z, seen, seed, model=model, ensemble=ensemble, embedding=embedding, statistics=statistics,
        simulated=simulated, progress=progress, **training,
    )  # fmt: skip


def fit(
    prior: Prior,
    scale: Features,
    z: torch.Tensor,
    seen: torch.Tensor,
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
    """Train on what networks see: standard normal numbers `z` (n, n_parameters), features `seen` (n, ...).

    The other arguments are those of `train_npe`. Only the rows of a batch are looked at at a time: `z` and `seen` may
    lie on the disk.
    """
    ensemble = whole_number("ensemble", ensemble, 1)
    how, shape = Training(**training).for_simulations(len(z)), seen.shape[1:]
    members: list[tuple[torch.nn.Module, torch.nn.Module]] = []
    losses: list[np.ndarray] = []
    stopped = False
    with repeatable(seed), tqdm(total=ensemble * how.epochs, unit="epoch", disable=not progress) as bar:
        while len(members) < ensemble and not stopped:
            member = new_member(model, z.shape[1], shape, embedding)
            try:
                loss, stopped = train(*member, z, seen, how, bar)
            except KeyboardInterrupt:
                if not members:
                    raise
                stopped = True
            else:
                members.append(member)
                losses.append(loss)
    estimator = Estimator(prior, scale, *zip(*members, strict=True), shape).eval()
    return Posterior(prior, estimator, model, tuple(losses), tuple(statistics), stopped, embedding, simulated)


def checked(
    prior: Prior, theta: np.ndarray, x: np.ndarray, statistics: Sequence[str], dimensions: int
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and statistics as arrays. Raises ValueError where nothing can be learned from them."""
    theta = np.array(plain("theta", theta, "parameters"))  # a copy: torch dislikes some views
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
