"""Input scaling for the density estimator.

Summary statistics over a prior are often heavy-tailed: most cells spike, a few sit on a plateau or are silent, and
their variance or kurtosis is extreme. Standardised by mean and SD alone, all the others would become one point.

No statistic is undefined: a summary gives every trace a finite value (`summary_statistics` returns skewness 0 and
kurtosis 3 for a trace that does not vary), and training refuses NaN.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import ndtri

from helpers.validation import one_of, plain

from .local_noise import scatter_around_surface

__all__ = ["SCALINGS", "Scaling"]

SCALINGS = ("auto", "standardise", "asinh", "rank")
AROUND = "around"
LINEAR = 1.5  # times the typical distance: from there on distances are compressed
MAX_STATISTIC = 1e100  # the square of a larger one overflows
HEAVY_TAIL_RANGE = 8.0  # a statistic whose range is that many interquartile ranges has heavy tails
MIN_ROWS = 100_000  # rows that the scale is learned from, at least
N_QUANTILES = 129  # quantiles that the rank transform keeps
MARGIN = 0.05  # how far beyond all simulations counts as outside, in units of their range


class Scaling(torch.nn.Module):
    """A map of summary statistics (..., n_statistics) to scaled ones, fitted to simulations by `of`.

    The scaled statistics have mean 0 and SD 1 over the simulations; a statistic that never varied becomes 0. A
    recording (..., n_samples, n_channels) is scaled in the same way, each channel as a whole.

    Parameters
    ----------
    kind
        "standardise": centred on the median, in units of the interquartile range. "asinh": then the inverse hyperbolic
        sine, linear around the median and logarithmic far out. "auto": the latter for heavy tails only. "rank": the
        normal quantile of the rank among the simulations, linear between 129 quantiles and beyond the last ones.
        "around": only by `around`, for one observation.
    n_statistics
        Number of statistics, or of channels.
    """

    centre: torch.Tensor
    spread: torch.Tensor
    bend: torch.Tensor
    mean: torch.Tensor
    sd: torch.Tensor
    lowest: torch.Tensor
    highest: torch.Tensor
    values: torch.Tensor
    quantiles: torch.Tensor

    def __init__(self, kind: str, n_statistics: int) -> None:
        super().__init__()
        one_of("scaling", kind, (*SCALINGS, AROUND))
        self.kind = kind
        if kind == AROUND:
            self.register_buffer("whitening", torch.zeros(n_statistics, n_statistics, dtype=torch.float64))
        for name in ("centre", "spread", "bend", "mean", "sd", "lowest", "highest"):
            self.register_buffer(name, torch.ones(n_statistics, dtype=torch.float64))
        knots = N_QUANTILES if kind == "rank" else 0
        for name in ("values", "quantiles"):
            self.register_buffer(name, torch.ones(n_statistics, knots, dtype=torch.float64))

    @classmethod
    def of(cls, x: np.ndarray, kind: str = "auto") -> Scaling:
        """Fit the map to simulations `x`, (n, n_statistics) or (n, n_samples, n_channels)."""
        if not (isinstance(x, np.ndarray) and x.dtype.kind == "f"):  # recordings in single precision stay so
            x = plain("x", x, "an array of numbers")
        if x.ndim not in (2, 3) or not x.size:
            raise ValueError(f"x has shape {x.shape}; allowed: (n, n_statistics) or (n, n_samples, n_channels)")
        rows = x.reshape(-1, x.shape[-1])
        lowest, highest = rows.min(axis=0), rows.max(axis=0)
        if not (np.isfinite([lowest, highest]).all() and float(max(-lowest.min(), highest.max())) < MAX_STATISTIC):
            raise ValueError(f"x goes from {lowest} to {highest}; allowed: finite numbers up to {MAX_STATISTIC:g}")
        x = rows[:: max(1, len(rows) // MIN_ROWS)].astype(float)
        scaling = cls(kind, x.shape[1])
        low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
        spread = np.where(high > low, high - low, x.std(axis=0))
        spread = np.where(spread > 0, spread, 1.0)
        heavy = np.ptp(x, axis=0) > HEAVY_TAIL_RANGE * spread
        learned = {
            "centre": centre,
            "spread": spread,
            "bend": heavy if kind == "auto" else np.full(len(centre), kind == "asinh"),
            "lowest": lowest,
            "highest": highest,
        }
        if kind == "rank":
            learned["values"], learned["quantiles"] = map(np.array, zip(*map(_ranks, x.T), strict=True))
        scaling._set(**learned, mean=np.zeros(x.shape[1]))
        bent = scaling(torch.as_tensor(x)).double().numpy()
        scaling._set(mean=bent.mean(axis=0), sd=np.where(np.ptp(x, axis=0) > 0, bent.std(axis=0), np.inf))
        return scaling

    @classmethod
    def around(cls, x_o: np.ndarray, points: np.ndarray, x: np.ndarray) -> Scaling:
        """Fit the map to what matters at one observation `x_o` (n_statistics,).

        Statistics count from `x_o`, in units of their scatter at fixed parameters and without its correlations, so that
        a difference that noise makes is about 1 wherever the others lie; compressed if they mostly lie farther off.
        `points` are the parameters of the simulations, centred and of the order of 1, (n, n_parameters).
        """
        scaling = cls(AROUND, x.shape[1])
        varies = np.ptp(x, axis=0) > 0
        _, covariance = scatter_around_surface(points, x[:, varies])
        whitening = np.linalg.inv(np.linalg.cholesky(covariance))
        typical = np.median(np.abs((x - x_o)[:, varies] @ whitening.T), axis=0)
        matrix = np.zeros((x.shape[1], x.shape[1]))
        matrix[np.ix_(varies, varies)] = whitening / np.maximum(1.0, LINEAR * typical)[:, None]
        low, high = np.percentile(x, [25, 75], axis=0)
        spread = np.where(high > low, high - low, np.where(varies, x.std(axis=0), 1.0))
        scaling._set(
            centre=np.asarray(x_o, dtype=float), spread=spread, whitening=matrix,
            mean=np.zeros(len(x_o)), lowest=x.min(axis=0), highest=x.max(axis=0),
        )  # fmt: skip
        return scaling

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scale `x`; the result has its shape, in single precision."""
        if self.kind == AROUND:
            return torch.asinh((x.double() - self.centre) @ self.whitening.T).float()
        return self._one_by_one(x).float()

    def _one_by_one(self, x: torch.Tensor) -> torch.Tensor:
        """Scale each statistic without the others."""
        if self.kind == "rank":
            bent = _interpolated(x.double(), self.values, self.quantiles)
        else:
            bent = (x.double() - self.centre) / self.spread
            bent = torch.where(self.bend > 0, torch.asinh(bent), bent)
        return (bent - self.mean) / self.sd

    def outside(self, x: np.ndarray) -> np.ndarray:
        """Tell which statistics of `x`, (n_statistics,) or (n_samples, n_channels), lie outside all simulated ones.

        "Outside" is by more than 5 % of the range; in a recording a single sample is enough. Returns (n_statistics,).
        """
        low, value, high = (self._one_by_one(row).numpy() for row in (self.lowest, torch.as_tensor(x), self.highest))
        margin = MARGIN * (high - low)
        constant = (self.lowest == self.highest).numpy() & (np.abs(x - self.lowest.numpy()) > 1e-6)
        beyond = constant | (value < low - margin) | (value > high + margin)
        return beyond.reshape(-1, beyond.shape[-1]).any(axis=0)

    def _set(self, **values: np.ndarray) -> None:
        for name, value in values.items():
            getattr(self, name).copy_(torch.as_tensor(value))


def _ranks(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of `x` (n,), and the standard normal quantile of the mid-rank of each."""
    values = np.quantile(x, np.linspace(0, 1, N_QUANTILES), method="inverted_cdf")
    ordered = np.sort(x)
    below, upto = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return values, ndtri((below + upto) / (2 * len(x)))


def _interpolated(x: torch.Tensor, values: torch.Tensor, quantiles: torch.Tensor) -> torch.Tensor:
    """Piecewise linear in each column of `x` through (values, quantiles), each (n_columns, N_QUANTILES), and beyond."""
    columns = []
    for value, knots, heights in zip(x.unbind(-1), values, quantiles, strict=True):
        knots, first = np.unique(knots.numpy(), return_index=True)
        if len(knots) == 1:
            columns.append(torch.zeros_like(value))
            continue
        knots, heights = torch.as_tensor(knots), heights[torch.as_tensor(first)]
        left = (torch.searchsorted(knots, value.contiguous()) - 1).clamp(0, len(knots) - 2)
        slope = (heights[left + 1] - heights[left]) / (knots[left + 1] - knots[left])
        columns.append(heights[left] + slope * (value - knots[left]))
    return torch.stack(columns, -1)
