"""From simulations to a posterior: priors, training, and the trained posterior with its file.

Neural posterior estimation (NPE; Papamakarios & Murray 2016, Greenberg et al. 2019) by the sbi library. SNPE is its
older name: the S stands for "sequential", several rounds of it.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sbi.inference import NPE
from sbi.inference.posteriors import DirectPosterior
from sbi.neural_nets import posterior_nn
from sbi.utils import BoxUniform

from .equations import Neuron
from .parameters import Parameter

__all__ = ["BoxPrior", "Posterior", "box_prior", "train_npe"]

FEWEST = 50  # simulations; with less a network only repeats its prior
FILE_FORMAT = 1


class BoxPrior(BoxUniform):
    """A uniform prior over named parameters. `parameters` holds their declarations, `lower` and `upper` the box."""

    def __init__(self, parameters: Sequence[Parameter], lower: np.ndarray, upper: np.ndarray) -> None:
        self.parameters = tuple(parameters)
        self.lower, self.upper = np.array(lower, dtype=float), np.array(upper, dtype=float)
        super().__init__(*(torch.as_tensor(bound, dtype=torch.float32) for bound in (self.lower, self.upper)))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(declared.name for declared in self.parameters)

    @property
    def labels(self) -> tuple[str, ...]:
        """Axis labels, e.g. "g_Na (mS/cm²)"."""
        return tuple(declared.label for declared in self.parameters)

    def draw(self, n: int, seed: int) -> np.ndarray:
        """`n` parameter sets, (n, n_parameters): the same for the same seed."""
        return np.random.default_rng(seed).uniform(self.lower, self.upper, (n, len(self.names)))

    def by_name(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """The columns of `theta` (n, n_parameters) by name, as `simulate_many` takes them."""
        return dict(zip(self.names, np.asarray(theta, dtype=float).T, strict=True))


def box_prior(
    neuron: Neuron | type[Neuron],
    names: Sequence[str],
    low: Sequence[float] | None = None,
    high: Sequence[float] | None = None,
) -> BoxPrior:
    """A uniform prior over the parameters `names` of a neuron, by default over the range that each declares.

    Raises ValueError for an unknown or repeated name, for low >= high, and for bounds that the neuron refuses.
    """
    known: Mapping[str, Parameter] = neuron.parameters()
    unknown = [name for name in names if name not in known]
    if unknown or not names or len(set(names)) != len(names):
        raise ValueError(f"names = {list(names)}; allowed: different ones of {', '.join(known)}")
    declared = [known[name] for name in names]
    lows = [entry.low for entry in declared] if low is None else list(low)
    highs = [entry.high for entry in declared] if high is None else list(high)
    if not len(lows) == len(highs) == len(names):
        raise ValueError(f"{len(names)} names, {len(lows)} lower and {len(highs)} upper bounds: give one of each")
    for entry, a, b in zip(declared, lows, highs, strict=True):
        entry.check([a, b])
        if not a < b:
            raise ValueError(f"{entry.name}: low = {a:g} {entry.unit} must lie below high = {b:g} {entry.unit}")
    return BoxPrior(declared, np.array(lows), np.array(highs))


@dataclass(frozen=True)
class FeatureScale:
    """Brings statistics of very different spread onto one scale: arcsinh((x - centre) / spread).

    Linear around the median, logarithmic far out, so that a few extreme simulations (a silent cell, one on a plateau)
    do not flatten all the others. spread is the interquartile range; where that is 0, the SD, or 1 for a constant.
    """

    centre: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray) -> FeatureScale:
        """The scale that suits the statistics `x` (n, n_features)."""
        low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
        spread = np.where(high > low, high - low, x.std(axis=0))
        return cls(centre, np.where(spread > 0, spread, 1.0))

    def __call__(self, x: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.arcsinh((x - self.centre) / self.spread), dtype=torch.float32)


@dataclass(frozen=True)
class Posterior:
    """A trained amortised posterior: for any observation, samples and log-probabilities of the parameters.

    prior: the prior that it was trained with. scale: what the network sees of the statistics.
    losses: validation loss (mean negative log-probability) after each epoch of training, (n_epochs,).
    """

    prior: BoxPrior
    scale: FeatureScale
    model: str
    network: torch.nn.Module
    losses: np.ndarray

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        """`n` draws of the parameters given the observation `x_o` (n_features,): (n, n_parameters)."""
        with _repeatable(seed), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "torch.triangular_solve is deprecated")  # inside the spline flow
            draws = self._sbi().sample((n,), x=self._observation(x_o), show_progress_bars=False)
        return draws.numpy().astype(float)

    def log_prob(self, theta: np.ndarray, x_o: np.ndarray) -> np.ndarray:
        """Log-density of `theta` (n, n_parameters) given `x_o` (n_features,): (n,); minus infinity off the prior."""
        points = torch.as_tensor(np.atleast_2d(theta), dtype=torch.float32)
        if points.shape[1] != len(self.prior.names):
            raise ValueError(
                f"theta has {points.shape[1]} columns; allowed: {len(self.prior.names)}, {self.prior.names}"
            )
        with _repeatable(0):  # the share of the density that leaks out of the prior is estimated by sampling
            return self._sbi().log_prob(points, x=self._observation(x_o)).numpy().astype(float)

    def save(self, path: str | Path) -> None:
        """Write the posterior to a file of plain arrays (NumPy's .npz), which `load` reads without running code."""
        about = {
            "format": FILE_FORMAT,
            "model": self.model,
            "parameters": [vars(declared) for declared in self.prior.parameters],
        }
        arrays = {f"network.{name}": value.numpy() for name, value in self.network.state_dict().items()}
        with open(path, "wb") as file:
            np.savez(
                file,
                about=np.array(json.dumps(about)),
                lower=self.prior.lower,
                upper=self.prior.upper,
                centre=self.scale.centre,
                spread=self.scale.spread,
                losses=self.losses,
                **arrays,
            )

    @classmethod
    def load(cls, path: str | Path) -> Posterior:
        """Read a posterior written by `save`. Raises ValueError for a file that is damaged or something else."""
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            about = json.loads(str(arrays.pop("about")))
            if about["format"] != FILE_FORMAT:
                raise ValueError(f"format {about['format']}; this version reads format {FILE_FORMAT}")
            parameters = [Parameter(**entry) for entry in about["parameters"]]
            prior = BoxPrior(parameters, arrays.pop("lower"), arrays.pop("upper"))
            scale = FeatureScale(arrays.pop("centre"), arrays.pop("spread"))
            losses = arrays.pop("losses")
            network = _untrained(about["model"], len(parameters), len(scale.centre))
            weights = {name.removeprefix("network."): torch.as_tensor(value) for name, value in arrays.items()}
            network.load_state_dict(weights)
        except FileNotFoundError:
            raise
        except (OSError, EOFError, KeyError, TypeError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise ValueError(f"{Path(path).name} holds no posterior that can be read: {error}") from error
        return cls(prior, scale, about["model"], network.eval(), losses)

    def _sbi(self) -> DirectPosterior:
        return DirectPosterior(self.network, self.prior)

    def _observation(self, x_o: np.ndarray) -> torch.Tensor:
        values = np.asarray(x_o, dtype=float)
        if values.shape != self.scale.centre.shape:
            raise ValueError(
                f"x_o has shape {values.shape}; allowed: {self.scale.centre.shape}, a number per statistic"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"x_o[{np.argmin(np.isfinite(values))}] is not finite: {values}")
        return self.scale(values[None])


def train_npe(
    prior: BoxPrior, theta: np.ndarray, x: np.ndarray, seed: int, *, model: str = "maf", progress: bool = False
) -> Posterior:
    """Train a neural network to give the posterior of `theta` for any statistics `x`: NPE, formerly SNPE.

    theta: (n, n_parameters) draws from the prior; x: (n, n_features) the statistics that each gave.
    model: density estimator of sbi: "maf" (autoregressive flow), "nsf" (spline flow), "mdn" (mixture of Gaussians).
    progress: let sbi report each epoch.
    The same seed gives the same network on the same machine.
    Raises ValueError for arrays that do not fit together, values that are not finite, or less than 50 simulations.
    """
    theta, x = np.asarray(theta, dtype=float), np.asarray(x, dtype=float)
    if theta.ndim != 2 or x.ndim != 2 or len(theta) != len(x) or theta.shape[1] != len(prior.names):
        raise ValueError(
            f"theta {theta.shape} and x {x.shape} do not fit together; "
            f"allowed: (n, {len(prior.names)}) and (n, n_features)"
        )
    if len(theta) < FEWEST:
        raise ValueError(f"{len(theta)} simulations are too few to train on; allowed: at least {FEWEST}")
    for name, values in (("theta", theta), ("x", x)):
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values).all(axis=1)))
            raise ValueError(f"{name}[{row}] = {values[row]} is not finite: leave such simulations out or mend them")
    outside = ((theta < prior.lower) | (theta > prior.upper)).any(axis=1)
    if outside.any():
        raise ValueError(f"theta[{np.argmax(outside)}] = {theta[np.argmax(outside)]} lies outside the prior")
    scale = FeatureScale.of(x)
    with _repeatable(seed), redirect_stdout(sys.stdout if progress else io.StringIO()):
        trainer = NPE(prior, density_estimator=_estimator(model), show_progress_bars=progress, tracker=_NoDiary())
        trainer.append_simulations(torch.as_tensor(theta, dtype=torch.float32), scale(x))
        network = trainer.train(show_train_summary=False)
    losses = np.array(trainer.summary["validation_loss"], dtype=float)
    return Posterior(prior, scale, model, network, losses)


@contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """Seed torch, and keep it to one thread, as sums depend on how they are split; afterwards all is as before."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _estimator(model: str) -> Any:
    if model not in ("maf", "nsf", "mdn"):
        raise ValueError(f"model = {model!r}; allowed: 'maf', 'nsf', 'mdn'")
    return posterior_nn(model=model)


class _NoDiary:
    """What sbi tells of its training goes nowhere: by default it would fill a folder sbi-logs in the user's place."""

    log_dir = None

    def log_metric(self, *args: Any, **kwargs: Any) -> None: ...

    log_metrics = log_params = add_figure = flush = log_metric


def _untrained(model: str, n_parameters: int, n_features: int) -> torch.nn.Module:
    """A network of the shape that `train_npe` makes; its numbers are replaced by those of a file."""
    with _repeatable(0):
        return _estimator(model)(torch.randn(10, n_parameters), torch.randn(10, n_features))
