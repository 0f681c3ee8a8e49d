"""Could the model give such data at all? A posterior looks just as certain when it could not."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass

import numpy as np
import torch
from sbi.diagnostics import calc_misspecification_mmd
from sbi.inference import MarginalTrainer
from sbi.neural_nets import marginal_nn
from sbi.neural_nets.factory import ZukoFlowType
from sbi.utils import metrics

from helpers.validation import plain, whole_number

from ..density_estimators import repeatable
from ..scaling import Scaling

__all__ = ["Misspecification", "misspecification"]


@dataclass(frozen=True)
class Misspecification:
    """Whether the model could have given the observation, with any parameters of the prior.

    Attributes
    ----------
    names
        Names of the statistics.
    x_o, lowest, highest
        Observed statistics, and the range of all simulated ones, (n_statistics,) each.
    p_density
        Share of simulations at most as probable as the observation, by a density learned from simulations.
    p_mmd
        p-value of the maximum mean discrepancy, which has little power for a single observation.
    density_fits
        Whether a classifier cannot tell the learned density from the simulations; if False, do not trust `p_density`.
    """

    names: tuple[str, ...]
    x_o: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    p_density: float
    p_mmd: float
    density_fits: bool

    @property
    def outside(self) -> np.ndarray:
        """Which statistics lie outside the range of all simulations, (n_statistics,)."""
        return (self.x_o < self.lowest) | (self.x_o > self.highest)

    @property
    def flagged(self) -> bool:
        """Whether the model is unlikely to give such data: a p below 0.01, or a statistic outside all simulations."""
        return bool(self.p_density < 0.01 or self.p_mmd < 0.01 or self.outside.any())

    def __str__(self) -> str:
        rows = zip(self.names, self.x_o, self.lowest, self.highest, self.outside, strict=True)
        density = f"p {self.p_density:.2g} by density{'' if self.density_fits else ' (which fits badly)'}"
        verdict = "MISSPECIFIED" if self.flagged else "no sign of misspecification"
        outside = [f"{name} = {value:.4g}, simulated {a:.4g} to {b:.4g}" for name, value, a, b, out in rows if out]
        return "\n  ".join([f"{verdict}: {density}, {self.p_mmd:.2g} by MMD", *outside])


def misspecification(x: np.ndarray, x_o: np.ndarray, names: Sequence[str], *, seed: int) -> Misspecification:
    """Compare an observation with simulations from the whole prior, by a learned density and by sbi's MMD test.

    Statistics are transformed to a normal scale by their ranks; integer-valued ones are first spread over ±0.5, as
    counts have no density.

    Parameters
    ----------
    x
        Simulated statistics, (n, n_statistics), n at least 500.
    x_o
        The observed statistics, (n_statistics,).
    names
        Names of the statistics.
    seed
        Seed of training and tests.

    Raises
    ------
    ValueError
        For shapes that do not fit, values that are not finite, and fewer than 500 simulations.

    References
    ----------
    Schmitt et al. 2023, GCPR (MMD); Cannon, Ward & Schmon 2022, arXiv:2209.01845 (density).
    """
    x, x_o = (plain(name, values, "numbers") for name, values in (("x", x), ("x_o", x_o)))
    seed = whole_number("seed", seed, 0, 2**32 - 1)
    if x.ndim != 2 or x_o.shape != x.shape[1:] or len(names) != len(x_o):
        raise ValueError(f"x {x.shape}, x_o {x_o.shape} and {len(names)} names do not fit together")
    if len(x) < 500:
        raise ValueError(f"{len(x)} simulations are too few to learn a density from; allowed: at least 500")
    if not (np.isfinite(x).all() and np.isfinite(x_o).all()):
        raise ValueError("x or x_o holds values that are not finite")
    rng, everything = np.random.default_rng(seed), np.vstack([x, x_o])
    whole = (x == np.round(x)).all(axis=0)
    everything[:, whole] += rng.uniform(-0.5, 0.5, (len(everything), int(whole.sum())))
    everything = everything[:, np.ptp(x, axis=0) > 0]  # one that never varies has no density: see `outside`
    scaled = Scaling.of(everything[:-1], "rank")(torch.as_tensor(np.ascontiguousarray(everything)))
    shuffled, at = scaled[rng.permutation(len(x))], scaled[-1:]
    used, held_out = shuffled[len(x) // 5 :], shuffled[: min(len(x) // 5, 1000)]
    with repeatable(seed), redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sbi, about its own defaults
        flow = marginal_nn(ZukoFlowType.MAF, num_transforms=3)
        trainer = MarginalTrainer(flow, tracker=_NoTracker(), show_progress_bars=False).append_samples(used)
        density = trainer.train(training_batch_size=300, learning_rate=1e-2, stop_after_epochs=10)
        with torch.no_grad():
            p_density = (density.log_prob(held_out) <= density.log_prob(at)).float().mean()
            drawn = density.sample(torch.Size([len(held_out)]))
        told_apart = float(metrics.c2st(held_out, drawn))
        p_mmd, _ = calc_misspecification_mmd(at, scaled[:-1], n_shuffle=500, max_samples=500)
    return Misspecification(
        tuple(names), x_o, x.min(axis=0), x.max(axis=0), float(p_density), float(p_mmd), abs(told_apart - 0.5) <= 0.1
    )


class _NoTracker:
    """Drops sbi's training log, which by default fills a folder sbi-logs in the working directory."""

    log_dir = None

    def log_metric(self, *args: object, **kwargs: object) -> None: ...

    log_metrics = log_params = add_figure = flush = log_metric
