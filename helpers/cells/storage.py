"""A fitted cell as plain data: cell.json, from which its draws can be simulated again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from helpers.inference.priors import Prior
from helpers.neurons.cortical import CorticalNeuron
from helpers.validation import number, one_of, whole_number

from .problem import traces_of
from .software import software_versions
from .sweeps import DT, step_of_current

if TYPE_CHECKING:
    from .fit import CellFit

__all__ = ["FORMAT", "StoredCell", "StoredSweep", "as_data", "as_json", "load_cell", "write_text"]

FORMAT = 1
KIND = "fitted cell"
N_STORED = 1000  # draws
MAX_LENGTH = 60_000.0  # ms, of a step


@dataclass(frozen=True)
class StoredSweep:
    """A sweep of a stored cell.

    Parameters
    ----------
    name
        Such as "sweep 8".
    held_out
        Whether the fit has not seen it.
    holding, amplitude
        Current before the step, and what the step adds [pA].
    length
        Of the step [ms].
    features
        By name: unit, observed, tolerance, and predicted mean, SD and z.
    """

    name: str
    held_out: bool
    holding: float
    amplitude: float
    length: float
    features: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class StoredCell:
    """What `load_cell` returns: the posterior of a cell, and what it takes to simulate it.

    Parameters
    ----------
    source
        Name of the file that was fitted.
    prior
        Over the unknown parameters.
    draws
        Of the posterior, (n, n_unknowns).
    neuron
        Holds all other parameters.
    area
        Of the membrane [cm²].
    sweeps
        By name, those that were fitted and those held out.
    verdict
        In words.
    data
        Everything that the file holds, as plain data.
    """

    source: str
    prior: Prior
    draws: np.ndarray
    neuron: CorticalNeuron
    area: float
    sweeps: Mapping[str, StoredSweep]
    verdict: str
    data: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the unknown parameters, in the order of the columns of the draws."""
        return self.prior.names

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Return `n` of the draws, (n, n_unknowns); more than once where `n` is above their number."""
        n, seed = whole_number("n", n, 1), whole_number("seed", seed)
        again = n > len(self.draws)
        return self.draws[np.random.default_rng(seed).choice(len(self.draws), n, replace=again)]

    def simulate(self, sweep: str, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Simulate a sweep with `sample(n, seed)`.

        Returns
        -------
        t, V
            Times from the onset of the step (n_samples,) [ms], and V (n, n_samples) [mV].

        Raises
        ------
        ValueError
            For a sweep that the cell does not have.
        """
        stored = self.sweeps[one_of("sweep", sweep, self.sweeps)]
        stimulus = step_of_current(stored.holding, stored.amplitude, stored.length, self.area, DT)
        return traces_of(self.neuron, self.prior, stimulus, self.sample(n, seed), seed)


def as_data(fit: CellFit) -> dict[str, Any]:
    """Return everything that the report tells as plain data, with draws of the posterior."""
    cell, verdict, posterior = fit.cell, fit.verdict, fit.posterior
    prior = fit.problem.unknowns.prior
    low, middle, high = posterior.quantile([0.025, 0.5, 0.975])
    return {
        "kind": KIND,
        "format": FORMAT,
        "source": cell.source,
        "verdict": {**asdict(verdict), "words": str(verdict)},
        "notes": cell.notes,
        "measurement": asdict(cell.measurement),
        "membrane": asdict(cell.membrane),
        "neuron": {"class": CorticalNeuron.__name__, "values": fit.problem.unknowns.neuron.values()},
        "prior": _without_infinite(prior.as_data()),
        "why_unknown": fit.problem.unknowns.why,
        "prior_check": asdict(fit.prior_check),
        "posterior": {
            "simulations": posterior.n_simulations,
            "effective_draws": posterior.ess,
            "power_of_likelihood": posterior.beta,
            "quantiles": {
                name: {"2.5 %": float(a), "50 %": float(b), "97.5 %": float(c)}
                for name, a, b, c in zip(prior.names, low, middle, high, strict=True)
            },
            "draws": fit.sample(N_STORED, fit.seed).tolist(),
        },
        "sweeps": [_sweep_data(one) for one in fit.predictions],
        "seed": fit.seed,
        "dt": DT,
        "versions": software_versions(),
    }


def _without_infinite(prior: dict[str, Any]) -> dict[str, Any]:
    """Leave out the bounds of a parameter that do not bound, for which JSON has no word."""
    finite = [{k: v for k, v in entry.items() if v not in (np.inf, -np.inf)} for entry in prior["parameters"]]
    return {**prior, "parameters": finite}


def _sweep_data(prediction: Any) -> dict[str, Any]:
    sweep = prediction.sweep
    known, predicted = (sweep.observed, sweep.tolerance), (prediction.mean, prediction.sd, prediction.z)
    rows = zip(sweep.summarise.names, *known, *predicted, strict=True)
    return {
        "name": sweep.name,
        "held_out": prediction.held_out,
        "holding": float(sweep.holding),
        "amplitude": float(sweep.amplitude),
        "length": float(sweep.length),
        "count": sweep.count,
        "predicted_counts": list(prediction.counts),
        "features": {
            name: {
                "unit": sweep.summarise.units[name], "observed": float(observed), "tolerance": float(tolerance),
                "predicted": float(mean), "sd": float(sd), "z": float(z),
            }
            for name, observed, tolerance, mean, sd, z in rows
        },
    }  # fmt: skip


def load_cell(path: str | Path) -> StoredCell:
    """Read a cell.json, as `CellFit.report` writes it.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ValueError
        For a file that is damaged or something else.
    FileNotFoundError
        If it is missing.

    Examples
    --------
    >>> stored = load_cell("results/cell/cell.json")  # doctest: +SKIP
    >>> t, V = stored.simulate("sweep 8", n=20, seed=0)  # doctest: +SKIP
    """
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"), parse_constant=_not_a_number)
        return _stored(data)
    except OSError:
        raise
    except KeyError as error:
        raise ValueError(f"{path.name} holds no fitted cell that can be read: it lacks {error}") from error
    except Exception as error:  # a damaged file fails in many ways
        raise ValueError(f"{path.name} holds no fitted cell that can be read: {error}") from error


def _stored(data: Any) -> StoredCell:
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise ValueError("it is another kind of file")
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']}; this version reads format {FORMAT}")
    if data["neuron"]["class"] != CorticalNeuron.__name__:
        raise ValueError(f"neuron {data['neuron']['class']!r}; this version reads {CorticalNeuron.__name__}")
    if data["dt"] != DT:
        raise ValueError(f"time step {data['dt']} ms; this version simulates at {DT} ms")
    unbounded = {"minimum": -np.inf, "maximum": np.inf}
    prior = Prior.from_data({**data["prior"], "parameters": [unbounded | one for one in data["prior"]["parameters"]]})
    draws = np.array(data["posterior"]["draws"], dtype=float)
    if draws.ndim != 2 or not len(draws):
        raise ValueError(f"draws of shape {draws.shape}; needed: (n, {len(prior.names)})")
    known = CorticalNeuron.parameters()
    if unknown := [name for name in prior.names if name not in known]:
        raise ValueError(f"{', '.join(unknown)}: not a parameter of {CorticalNeuron.__name__}")
    sweeps = [_stored_sweep(entry) for entry in data["sweeps"]]
    return StoredCell(
        str(data["source"]), prior, prior.check(draws, "draws"), CorticalNeuron(**data["neuron"]["values"]),
        number("area", data["membrane"]["area"], "cm²", above=0.0), {sweep.name: sweep for sweep in sweeps},
        str(data["verdict"]["words"]), data,
    )  # fmt: skip


def _stored_sweep(entry: Mapping[str, Any]) -> StoredSweep:
    name = str(entry["name"])
    return StoredSweep(
        name, bool(entry["held_out"]), number(f"{name}: holding", entry["holding"], "pA"),
        number(f"{name}: amplitude", entry["amplitude"], "pA"),
        number(f"{name}: length", entry["length"], "ms", above=0.0, high=MAX_LENGTH), entry["features"],
    )  # fmt: skip


def _not_a_number(word: str) -> NoReturn:
    raise ValueError(f"it holds {word}, which is not a number")


def write_text(path: Path, text: str) -> None:
    """Write a file that appears under its name only when it is whole."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def as_json(data: Any) -> str:
    """Return plain data as JSON. Raises ValueError for what is not finite."""
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
