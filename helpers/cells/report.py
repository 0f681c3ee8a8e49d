"""A fitted cell as a report: cell.html, which tells a reader what was found, and cell.json, which a program reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.cells import plot_best_known, plot_marginals, plot_predicted_sweep
from helpers.figures.style import use_style
from helpers.simulation.electrophysiology import FEATURES
from helpers.simulation.spikes import find_spikes

from .methods import CURRENTS, SLOW, listed, methods, references, used_currents, used_gates
from .page import bullets, document, heading, paragraph, percent, picture, section, short, table
from .predictions import WITHIN, SweepPrediction
from .software import software_versions
from .storage import as_data, as_json, write_text
from .verdict import ENOUGH, prior_widths

if TYPE_CHECKING:
    from .fit import CellFit

__all__ = ["write_report"]

N_DRAWN = 20  # simulations in a picture
N_SHOWN = 1000  # draws in a picture
N_PAIRS = 6  # parameters in the pair plot, of which more would not be legible
STRONG = 0.5  # correlation from which a pair is named


def write_report(fit: CellFit, folder: str | Path) -> Path:
    """Write cell.html and cell.json into a folder, and return the page. See `CellFit.report`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "cell.json", as_json(as_data(fit)))
    with plt.rc_context():
        use_style()
        page = _page(fit)
    path = folder / "cell.html"
    write_text(path, page)
    return path


def _page(fit: CellFit) -> str:
    contents = (
        ("verdict", "Verdict", _verdict(fit)),
        ("data", "Data", _data(fit)),
        ("assumptions", "Assumptions", _assumptions(fit)),
        ("model", "Model and prior", _model(fit)),
        ("posterior", "Posterior", _posterior(fit)),
        ("predictions", "Predictions of the fitted sweeps", _predictions(fit)),
        ("held-out", "Sweeps that the fit has not seen", _held_out(fit)),
        ("features", "What the features are", _features(fit)),
        ("methods", "Methods, to be pasted", _methods(fit)),
        ("versions", "Versions and seeds", _versions(fit)),
    )
    title = f"{fit.cell.source}: the model {fit.verdict.status}{_count_of_points(fit)}"
    sections = [section(name, words, parts) for name, words, parts in contents]
    return document(title, sections, [(name, words) for name, words, _ in contents])


def _count_of_points(fit: CellFit) -> str:
    if fit.verdict.status != "passes but for":
        return ""
    n = len(fit.verdict.reasons)
    return f" {n} point{'s' if n > 1 else ''}"


def _verdict(fit: CellFit) -> list[str]:
    verdict, n = fit.verdict, len(fit.problem.observed)
    fitted = [one for one in fit.predictions if not one.held_out]
    inside = sum(one.count_inside for one in fitted)
    sentence = (
        f"The model {verdict.status}{_count_of_points(fit)}: {percent(verdict.share)} of {n} features of "
        f"{len(fitted)} fitted sweep{'s' if len(fitted) > 1 else ''} lie within {WITHIN:g} SD of the predictions "
        f"({percent(ENOUGH)} are needed), and in {inside} of {len(fitted)} the recorded spike count is inside "
        "the interval of 90 % of the predictions."
    )
    why = {"passes": "Weak points", "passes but for": "But for"}.get(verdict.status, "Why not")
    return [
        paragraph(sentence, "verdict"),
        *((heading(why), bullets(verdict.reasons)) if verdict.reasons else ()),
        heading("What may be stated"),
        bullets(verdict.publish) or paragraph("Nothing about the values of parameters."),
        *((heading("What may not be stated"), bullets(verdict.not_publish)) if verdict.not_publish else ()),
    ]


def _data(fit: CellFit) -> list[str]:
    rows = [
        (
            one.sweep.name, "held out" if one.held_out else "fitted", float(one.sweep.holding),
            float(one.sweep.amplitude), float(one.sweep.length), float(one.sweep.count),
        )
        for one in fit.predictions
    ]  # fmt: skip
    quality = [note.removeprefix("quality, ") for note in fit.cell.notes if note.startswith("quality, ")]
    others = [note for note in fit.cell.notes if not note.startswith("quality, ")]
    return [
        paragraph(f"Recorded in current clamp: {fit.cell.source}."),
        table("Sweeps", ("sweep", "used as", "holding (pA)", "step (pA)", "length (ms)", "spikes"), rows),
        *((heading("Quality: to look at"), bullets(quality)) if quality else ()),
        *((heading("What was found and chosen"), bullets(others)) if others else ()),
    ]


def _assumptions(fit: CellFit) -> list[str]:
    measurement, membrane = fit.cell.measurement, fit.cell.membrane
    values = fit.problem.unknowns.neuron.values()
    junction, low_pass = measurement.junction_potential, measurement.low_pass
    rows = [
        ("junction potential", f"{short(junction)} mV", "assumed, subtracted from V; a file does not hold it"),
        ("filter", f"{low_pass:g} kHz" if low_pass else "none", "low-pass filter of the amplifier, as stated"),
        ("area", f"{membrane.area:.3g} cm²", f"at 1 µF/cm², {membrane.words}"),
        ("input resistance", f"{short(membrane.R_in)} MΩ", membrane.words),
        ("membrane time constant", f"{short(membrane.tau_m)} ms", membrane.words),
        ("E_K", f"{short(values['E_K'])} mV", "held fixed"),
        ("noise", f"{values['noise']:g} µA/cm²·√ms", "white current noise in the simulations, held fixed"),
    ]
    named = {_feature(name) if name in FEATURES else name: pair for name, pair in measurement.floors.items()}
    floors = [(name, float(absolute), percent(share)) for name, (absolute, share) in named.items()]
    return [
        paragraph(
            "The junction potential, the filter and the tolerances are stated by whoever fits: in Python by "
            "fit_cell(..., measurement=Measurement(...)). Other values give another result."
        ),
        table("Assumed of the measurement and of the membrane", ("quantity", "value", "where from"), rows),
        paragraph(
            "A feature counts as equal up to its tolerance, one SD: the larger of an absolute value and a share of the "
            "feature, or what repeats of the same step differ by, if that is more."
        ),
        table("Smallest tolerance (1 SD), by unit or feature", ("unit or feature", "absolute", "share"), floors),
    ]


def _model(fit: CellFit) -> list[str]:
    unknowns = fit.problem.unknowns
    prior, values, known = unknowns.prior, unknowns.neuron.values(), unknowns.neuron.parameters()
    currents = [(name, *CURRENTS[name][:2], listed(CURRENTS[name][2])) for name in used_currents(fit)]
    gates = [(name, f"gate {SLOW[name][0]}", SLOW[name][1], listed(SLOW[name][2])) for name in used_gates(fit)]
    rows = [
        (
            declared.name, declared.unit, declared.meaning, str(prior.marginals[k]), float(prior.lower[k]),
            float(prior.upper[k]), unknowns.why[declared.name],
        )
        for k, declared in enumerate(prior.parameters)
    ]  # fmt: skip
    fixed = [(n, known[n].unit, known[n].meaning, float(values[n])) for n in values if n not in prior.names]
    check = fit.prior_check
    return [
        paragraph(
            "One compartment: C dV/dt = I_injected / area − the sum of the currents below + noise. V is inside minus "
            "outside, time in ms, conductances in mS/cm²."
        ),
        table("Currents and slow gates", ("name", "equation", "what it does", "reference"), [*currents, *gates]),
        table(
            f"The {len(rows)} unknown parameters and their prior",
            ("parameter", "unit", "meaning", "prior", "from", "to", "why unknown"), rows,
        ),
        table("Held fixed", ("parameter", "unit", "meaning", "value"), fixed),
        heading("Prior check"),
        paragraph(
            f"Of {check.n_simulations:,} simulations with parameters from the prior, the features of the recording lie "
            + ("outside the range in these cases, where no parameters can give the recording:" if check.outside
               else "inside the range, each by itself: the prior does not rule the recording out.")
        ),
        bullets(check.outside),
    ]  # fmt: skip


def _posterior(fit: CellFit) -> list[str]:
    prior, posterior = fit.problem.unknowns.prior, fit.posterior
    low, middle, high = posterior.quantile([0.025, 0.5, 0.975])
    draws = fit.sample(N_SHOWN, fit.seed)
    widths = prior_widths(prior, draws)
    rows = [
        (name, declared.unit, float(middle[k]), float(low[k]), float(high[k]), percent(widths[k]))
        for k, (name, declared) in enumerate(zip(prior.names, prior.parameters, strict=True))
    ]
    order = np.argsort(widths, kind="stable")
    best = np.sort(order[:N_PAIRS] if len(widths) > N_PAIRS + 2 else order)
    seen = "; ".join(f"{prior.names[k]} {short(middle[k])} ({percent(widths[k])})" for k in order)
    names = listed(prior.names[k] for k in best)
    columns = [np.log(column) if one.log else column for column, one in zip(draws.T, prior.marginals, strict=True)]
    pairs = _correlated(prior.names, np.array(columns), best)
    medians = listed(f"{prior.names[k]} {short(middle[k])}" for k in best)
    return [
        paragraph(
            f"{posterior.n_simulations:,} simulations, worth {posterior.ess:.0f} independent draws"
            + (f", of the likelihood to the power {posterior.beta:.2g}: not settled, intervals are too wide."
               if posterior.beta < 1.0 else ".")
        ),
        table(
            "Median and 95 % interval of each unknown parameter, given this model, and how much of its prior it holds",
            ("parameter", "unit", "median", "95 % from", "to", "share of prior"), rows,
        ),
        picture(
            plot_marginals(prior, draws),
            "Histogram of each parameter over the width of its prior, the best known first, with its median and the "
            f"share of the prior inside its 95 % interval: {seen}.",
            "Each unknown parameter, from end to end of its prior. Blue: posterior; line: median; bar: 95 %; dotted: "
            "where the prior is, and the posterior of a parameter of which the data say nothing.",
            vector=True,
        ),
        picture(
            plot_best_known([prior.labels[k] for k in best], draws[:, best]),
            f"Pair plot of {names}. Medians: {medians}. {pairs}",
            f"Pairs of the {len(best)} {'best known ' if len(best) < len(widths) else ''}parameters. {pairs}",
        ),
    ]  # fmt: skip


def _correlated(names: tuple[str, ...], draws: np.ndarray, shown: Iterable[int]) -> str:
    """Say which of the parameters that are shown go together."""
    shown, r = list(shown), np.corrcoef(draws)
    found = [(i, j) for n, i in enumerate(shown) for j in shown[:n] if abs(r[i, j]) >= STRONG]
    found.sort(key=lambda pair: -abs(r[pair]))
    words = listed(f"{names[j]} with {names[i]} ({r[i, j]:+.2f})" for i, j in found)
    return f"Correlated: {words}." if words else f"No correlation is above {STRONG:g}."


def _predictions(fit: CellFit) -> list[str]:
    return [part for k, one in enumerate(fit.predictions) if not one.held_out for part in _sweep(fit, k)]


def _held_out(fit: CellFit) -> list[str]:
    found = [part for k, one in enumerate(fit.predictions) if one.held_out for part in _sweep(fit, k)]
    return found or [paragraph("No sweep was held out: nothing tests the fit on what it has not seen.")]


def _sweep(fit: CellFit, k: int) -> list[str]:
    one = fit.predictions[k]
    sweep, (low, high) = one.sweep, one.counts
    t, V = fit.problem.traces(sweep, fit.sample(N_DRAWN, fit.seed), fit.seed + k)
    outside = [i for i, z in enumerate(one.z) if abs(z) > WITHIN]
    step = f"{sweep.amplitude:+.4g} pA"
    rows = [
        (_feature(name), sweep.summarise.units[name], *numbers, f"{round(z, 1) + 0.0:+.1f}", _judged(z))
        for name, *numbers, z in zip(
            sweep.summarise.names,
            *(column.tolist() for column in (sweep.observed, sweep.tolerance, one.mean, one.sd, one.z)), strict=True,
        )
    ]
    n = len(one.predicted)
    counts = f"{low:.0f} to {high:.0f}" if low < high else f"{low:.0f}"
    inside = "inside" if one.count_inside else "outside"
    return [
        heading(f"{sweep.name}, {step}, {'held out' if one.held_out else 'fitted'}"),
        paragraph(
            f"{sweep.count} spikes recorded, {counts} predicted (90 % of {n} simulations): {inside}. "
            f"{len(rows) - len(outside)} of {len(rows)} features within {WITHIN:g} SD."
        ),
        picture(
            plot_predicted_sweep(sweep.trace, t, V),
            f"{sweep.name}, a step of {step} for {sweep.length:.0f} ms. {_seen(one, t, V)}",
            f"{sweep.name}. Black: recorded. Orange: {N_DRAWN} simulations with draws of the posterior, each with "
            f"noise of its own. Below: {'when each of them fires, and ' if sweep.count else ''}the injected current.",
        ),
        table(
            f"Features of {sweep.name}: recorded, and predicted by {n} simulations",
            ("feature", "unit", "recorded", "tolerance (SD)", "predicted", "SD of prediction", "z", "in words"),
            rows, outside,
        ),
    ]  # fmt: skip


def _seen(one: SweepPrediction, t: np.ndarray, V: np.ndarray) -> str:
    """What the picture of a sweep shows, in numbers."""
    trace = one.sweep.trace
    recorded = trace.spike_times - trace.start
    during = recorded[(recorded >= 0.0) & (recorded < one.sweep.length)]
    predicted = [find_spikes(t, row) for row in V]
    inside = [times[(times >= 0.0) & (times < one.sweep.length)] for times in predicted]
    counts = [len(times) for times in inside]
    first = [float(times[0]) for times in inside if len(times)]
    words = f"The recording has {len(during)} spikes"
    words += f", the first {during[0]:.0f} ms after the onset" if len(during) else ""
    words += f"; {len(V)} simulations have {min(counts)} to {max(counts)}"
    words += f", the first after {min(first):.0f} to {max(first):.0f} ms." if first else "."
    low, high = float(trace.V.min()), float(trace.V.max())
    ends = np.percentile(V.min(axis=1), 50), np.percentile(V.max(axis=1), 50)
    return f"{words} V goes from {low:.0f} to {high:.0f} mV, in the simulations from {ends[0]:.0f} to {ends[1]:.0f} mV."


def _judged(z: float) -> str:
    if abs(z) <= WITHIN:
        return "agrees"
    return f"recorded {'higher' if z > 0.0 else 'lower'} by more than {WITHIN:g} SD"


def _features(fit: CellFit) -> list[str]:
    names = dict.fromkeys(name for one in fit.predictions for name in one.sweep.summarise.names)
    rows = [(_feature(name), FEATURES[name].unit, FEATURES[name].definition.replace("_", " ")) for name in names]
    return [
        paragraph(
            "z is how many SD the recording lies above the mean of the predictions; the SD is that of the predictions "
            "and of the tolerance together. A feature of spikes is the mean over all of them, unless it names one."
        ),
        table("Definitions", ("feature", "unit", "definition"), rows),
    ]


def _feature(name: str) -> str:
    return name if name.startswith("V_") else name.replace("_", " ")


def _methods(fit: CellFit) -> list[str]:
    return [paragraph(methods(fit), "quote"), heading("References"), bullets(references(fit))]


def _versions(fit: CellFit) -> list[str]:
    simulations = f"{fit.posterior.n_simulations:,}"
    rows = [*software_versions().items(), ("seed of everything random", str(fit.seed)), ("simulations", simulations)]
    return [
        table("With what this was made", ("what", "which"), rows),
        paragraph(
            "cell.json next to this page holds all of it as numbers, with draws of the posterior: "
            'helpers.cells.load_cell("cell.json") reads it, and simulates any sweep again.'
        ),
    ]
