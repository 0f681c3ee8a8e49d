"""What is compared: methods of sbi with their own defaults, and those of this series.

To add a method, write a function that returns a posterior, and put it in METHODS: see docs/benchmark.md.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from helpers.inference.density_estimators import repeatable
from helpers.inference.diagnostics.trials import Sampler
from helpers.inference.npe import MIN_SIMULATIONS, train_npe
from helpers.inference.rounds import truncated_rounds
from helpers.inference.sharpening import sharpened

from .task import Task

__all__ = ["METHODS", "Method", "Simulate"]

TSNPE_ROUNDS = 5
SHARPENING = 3000  # simulations

Simulate = Callable[[np.ndarray, int], np.ndarray]
Infer = Callable[[np.ndarray, int, int], np.ndarray]  # draws (n, n_parameters), given x_o, n and a seed


@dataclass(frozen=True)
class Method:
    """A method of inference.

    Attributes
    ----------
    about
        The method in words.
    start
        start(task, simulate, budget, seed) does what is done once for all observations, and returns a posterior with
        sample(n, x_o, seed). simulate(theta, seed) returns the statistics (n, n_statistics), and counts.
    amortised
        Whether the posterior answers without new simulations.
    slow
        Whether an answer takes so long that few observations are tried, and no calibration.
    not_for
        Why it does not apply, by the name of the task.
    """

    about: str
    start: Callable[[Task, Simulate, int, int], Sampler]
    amortised: bool = True
    slow: bool = False
    not_for: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _ForOne:
    """A posterior that is inferred for each observation."""

    infer: Infer

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        return self.infer(x_o, n, seed)


def _simulated(task: Task, simulate: Simulate, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    theta = task.prior.draw(n, seed)
    return theta, simulate(theta, seed + 1)


# ------------------------------------------------------------------------------------------------------------------ sbi


@dataclass(frozen=True)
class _OfSbi:
    """A posterior of sbi."""

    posterior: Any

    def sample(self, n: int, x_o: np.ndarray, seed: int) -> np.ndarray:
        with _as_sbi_likes_it(seed):
            drawn = self.posterior.sample((n,), x=_tensor(x_o)[None], show_progress_bars=False)
        return drawn.reshape(n, -1).double().numpy()


def _with_sbi(name: str) -> Callable[[Task, Simulate, int, int], Sampler]:
    """A class of sbi, trained and sampled with all its defaults."""

    def start(task: Task, simulate: Simulate, budget: int, seed: int) -> Sampler:
        import sbi.inference

        theta, x = _simulated(task, simulate, budget, seed)
        with _as_sbi_likes_it(seed):
            inference = getattr(sbi.inference, name)(task.prior, show_progress_bars=False, tracker=_NoRecord())
            estimator = inference.append_simulations(_tensor(theta), _tensor(x)).train()
            return _OfSbi(inference.build_posterior(estimator))

    return start


def _tsnpe(task: Task, simulate: Simulate, budget: int, _: int) -> Sampler:
    """Truncated proposals (Deistler, Gonçalves & Macke 2022) as sbi's documentation has them."""
    from sbi.inference import NPE
    from sbi.utils import RestrictedPrior, get_density_thresholder

    def infer(x_o: np.ndarray, n: int, seed: int) -> np.ndarray:
        with _as_sbi_likes_it(seed):
            inference, proposal = NPE(task.prior, show_progress_bars=False, tracker=_NoRecord()), task.prior
            for number in range(TSNPE_ROUNDS):
                theta = proposal.sample((budget // TSNPE_ROUNDS,))
                x = _tensor(simulate(theta.double().numpy(), seed + 1 + number))
                estimator = inference.append_simulations(theta, x).train(force_first_round_loss=True)
                posterior = inference.build_posterior(estimator).set_default_x(_tensor(x_o)[None])
                if number < TSNPE_ROUNDS - 1:
                    inside = get_density_thresholder(posterior, quantile=1e-4)
                    proposal = RestrictedPrior(task.prior, inside, sample_with="rejection")
        return _OfSbi(posterior).sample(n, x_o, seed)

    return _ForOne(infer)


class _NoRecord:
    """A tracker that keeps nothing: sbi's own writes a folder of logs."""

    log_dir = None

    def _nothing(self, *_: Any, **__: Any) -> None:
        return None

    log_metric = log_metrics = log_params = add_figure = flush = _nothing


@contextlib.contextmanager
def _as_sbi_likes_it(seed: int) -> Iterator[None]:
    """Seed all that sbi draws from, keep one thread, and keep what it prints and warns of away from the table."""
    state = np.random.get_state()  # noqa: NPY002 - sbi's slice sampler uses NumPy's global generator
    try:
        with repeatable(seed), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            np.random.seed(seed % 2**32)  # noqa: NPY002
            yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.array(values), dtype=torch.float32)


# ---------------------------------------------------------------------------------------------------------- this series


def _trained(**how: Any) -> Callable[[Task, Simulate, int, int], Sampler]:
    def start(task: Task, simulate: Simulate, budget: int, seed: int) -> Sampler:
        theta, x = _simulated(task, simulate, budget, seed)
        return train_npe(task.prior, theta, x, seed, statistics=task.statistics, **how)

    return start


def _rounds(task: Task, simulate: Simulate, budget: int, _: int) -> Sampler:
    """The default call at a budget of 10,000, and the same shares of a smaller one."""

    def infer(x_o: np.ndarray, n: int, seed: int) -> np.ndarray:
        n_round, n_final = max(MIN_SIMULATIONS, budget // 10), budget // 2
        found = truncated_rounds(simulate, task.prior, x_o, seed, n_round=n_round, n_final=n_final, budget=budget)
        return found.posterior.sample(n, x_o, seed)

    return _ForOne(infer)


def _sharpened(task: Task, simulate: Simulate, budget: int, seed: int) -> Sampler:
    """A network trained on what is left of the budget, sharpened with up to 3,000 simulations at each observation."""
    share = min(SHARPENING, budget // 2)
    network = train_npe(
        task.prior, *_simulated(task, simulate, budget - share, seed), seed, statistics=task.statistics
    )

    def infer(x_o: np.ndarray, n: int, seed: int) -> np.ndarray:
        return sharpened(network, simulate, x_o, seed, budget=share, n_step=min(400, share // 4)).sample(n, x_o, seed)

    return _ForOne(infer)


DEPENDENT = "the bounds of its prior depend on one another"
UNDETERMINED = "its data do not determine every parameter"

METHODS: dict[str, Method] = {
    "NPE": Method("neural posterior estimation, sbi", _with_sbi("NPE")),
    "NLE": Method("neural likelihood estimation with slice sampling, sbi", _with_sbi("NLE"), slow=True),
    "NRE": Method("neural ratio estimation with slice sampling, sbi", _with_sbi("NRE"), slow=True),
    "FMPE": Method("flow matching, sbi", _with_sbi("FMPE")),
    "NPSE": Method("score matching, sbi", _with_sbi("NPSE")),
    "TSNPE": Method(f"truncated sequential NPE, {TSNPE_ROUNDS} rounds, sbi", _tsnpe, amortised=False, slow=True),
    "ours, NPE": Method("NPE with scaled statistics and a long training (`train_npe`)", _trained()),
    "ours, refining": Method("NPE with a network that corrects its guess", _trained(model="refining")),
    "ours, rounds": Method(
        "re-scaled truncated rounds (`truncated_rounds`)", _rounds, amortised=False, slow=True,
        not_for={"integrate_and_fire": DEPENDENT},
    ),
    "ours, sharpened": Method(
        "`train_npe`, then a likelihood fitted around its answer (`sharpened`)", _sharpened, amortised=False,
        not_for={"integrate_and_fire": UNDETERMINED, "eight": UNDETERMINED},
    ),
}  # fmt: skip
