"""A fit in the words of a paper: the equations, where they are from, and a paragraph for the methods section."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .page import percent
from .predictions import WITHIN
from .software import software_versions
from .sweeps import DT

if TYPE_CHECKING:
    from .fit import CellFit

__all__ = ["CURRENTS", "REFERENCES", "SLOW", "listed", "methods", "references", "used_currents", "used_gates"]

# By current: its equation, what it does, and where it is from.
CURRENTS = {
    "I_Na": ("g_Na m³ h s (V − E_Na)", "spikes; gates m and h with speed rate_Na", ("Pospischil 2008",)),
    "I_K": ("g_K n⁴ z (V − E_K)", "ends spikes; gate n with speed rate_K", ("Pospischil 2008",)),
    "I_M": ("g_M p (V − E_K)", "adaptation; gate p with time scale tau_max", ("Pospischil 2008",)),
    "I_L": ("g_L (V − E_L)", "leak", ("Pospischil 2008",)),
    "I_h": ("g_h q (V − E_h)", "sag", ("Kole 2006",)),
}
SLOW = {
    "slow_Na": ("s", "slow inactivation of sodium: thresholds rise during a train", ("Fleidervish 1996",)),
    "slow_K": ("z", "slow inactivation of potassium: spikes become broader during a train", ("Aldrich 1979",)),
}
REFERENCES = {
    "Aldrich 1979": "Aldrich RW, Getting PA, Thompson SH (1979) J Physiol 291:507.",
    "Cornuet 2012": "Cornuet J-M, Marin J-M, Mira A, Robert CP (2012) Adaptive multiple importance sampling. Scand J "
    "Stat 39:798.",
    "Fleidervish 1996": "Fleidervish IA, Friedman A, Gutnick MJ (1996) J Physiol 493:83.",
    "Gelman 1996": "Gelman A, Meng X-L, Stern H (1996) Posterior predictive assessment of model fitness. Stat Sinica "
    "6:733.",
    "Kole 2006": "Kole MHP, Hallermann S, Stuart GJ (2006) J Neurosci 26:1677.",
    "Pospischil 2008": "Pospischil M, Toledo-Rodriguez M, Monier C, et al. (2008) Minimal Hodgkin-Huxley type models "
    "for different classes of cortical and thalamic neurons. Biol Cybern 99:427.",
    "Wilkinson 2013": "Wilkinson RD (2013) Approximate Bayesian computation (ABC) gives exact results under the "
    "assumption of model error. Stat Appl Genet Mol Biol 12:129.",
}


def used_currents(fit: CellFit) -> list[str]:
    """Return the currents that this fit uses: those whose conductance is unknown, or fixed above zero."""
    unknowns = fit.problem.unknowns
    fixed = unknowns.neuron.values()
    return [name for name in CURRENTS if (g := f"g_{name[2:]}") in unknowns.prior.names or fixed[g] > 0.0]


def used_gates(fit: CellFit) -> list[str]:
    """Return the parameters of slow inactivation that this fit uses."""
    unknowns = fit.problem.unknowns
    return [name for name in SLOW if name in unknowns.prior.names or unknowns.neuron.values()[name] > 0.0]


def references(fit: CellFit) -> list[str]:
    """Return what this fit is based on, in the order of the alphabet."""
    wanted = {"Cornuet 2012", "Gelman 1996", "Pospischil 2008", "Wilkinson 2013"}
    for name in used_currents(fit):
        wanted.update(CURRENTS[name][2])
    for name in used_gates(fit):
        wanted.update(SLOW[name][2])
    return [REFERENCES[name] for name in sorted(wanted)]


def methods(fit: CellFit) -> str:
    """Return a paragraph for the methods section of a paper, with the numbers of this fit."""
    cell, posterior = fit.cell, fit.posterior
    measurement, membrane, prior = cell.measurement, cell.membrane, fit.problem.unknowns.prior
    fitted = [one for one in fit.predictions if not one.held_out]
    held = [one for one in fit.predictions if one.held_out]
    steps = listed(f"{one.sweep.amplitude:+.0f}" for one in fitted)
    extra = listed(f"{SLOW[name][1].split(':')[0]} ({_cited(SLOW[name][2])})" for name in used_gates(fit))
    own = [name for name in used_currents(fit) if CURRENTS[name][2] != ("Pospischil 2008",)]
    speeds = ["free speeds of the sodium and potassium gates"] if "rate_Na" in prior.names else []
    added = [*speeds, *(f"{name} ({_cited(CURRENTS[name][2])})" for name in own), *([extra] if extra else [])]
    more = f", extended by {listed(added)}," if added else ""
    logs = [name for name, marginal in zip(prior.names, prior.marginals, strict=True) if marginal.log]
    others = [name for name in prior.names if name not in logs]
    scales = ("the logarithm", logs), ("the value", others)
    filtered = measurement.low_pass
    parts = [
        f"A single-compartment model of a cortical neuron (Pospischil et al. 2008){more} was fitted to "
        f"{len(fitted)} current-clamp sweep{'s' if len(fitted) > 1 else ''} of {cell.source} "
        f"({'steps' if len(fitted) > 1 else 'a step'} of {steps} pA).",
        f"Membrane potentials were corrected for a liquid junction potential of {measurement.junction_potential:g} mV"
        + (f"; a low-pass filter at {filtered:g} kHz was part of the measurement model." if filtered else "."),
        f"A membrane of {membrane.area:.3g} cm² at 1 µF/cm² with an input resistance of {membrane.R_in:.4g} MΩ and a "
        f"time constant of {membrane.tau_m:.3g} ms ({membrane.words}) converted currents into densities.",
        f"{len(prior.names)} parameters were unknown, with independent priors, uniform in "
        + listed(f"{kind} of {listed(names)}" for kind, names in scales if names)
        + "; all others were held fixed.",
        f"The {len(fit.problem.observed)} features of the voltage responses (spike counts, timing, shape of spikes and "
        "subthreshold potentials) were compared with those of simulations (exponential Euler, time step "
        f"{DT:g} ms). The difference of cell and model was taken as normal, with an SD stated for each feature "
        "(Wilkinson 2013).",
        f"The posterior was sampled by adaptive multiple importance sampling (Cornuet et al. 2012) with "
        f"{posterior.n_simulations:,} simulations, worth {posterior.ess:.0f} independent draws"
        + (f", with the likelihood raised to the power {posterior.beta:.2g}." if posterior.beta < 1.0 else "."),
        f"In posterior predictive checks (Gelman et al. 1996) with {len(fitted[0].predicted)} draws, "
        f"{percent(fit.verdict.share)} of the features lay within {WITHIN:g} SD of their predictions, and the spike "
        f"count was inside the 90 % interval in {sum(one.count_inside for one in fitted)} of {len(fitted)} sweeps.",
    ]
    for one in held:
        low, high = one.counts
        parts.append(
            f"A sweep that was not fitted ({one.sweep.amplitude:+.0f} pA) had {one.sweep.count} "
            f"spikes; {low:.0f} to {high:.0f} were predicted (90 %)."
        )
    if not held:
        parts.append("No sweep was held out.")
    found = software_versions()
    parts.append(
        f"Fits were made in Python {found['Python']} with numpy {found['numpy']}"
        + (f" and the code at commit {found['commit'][:12]}" if "commit" in found else "")
        + f" (random seed {fit.seed})."
    )
    return " ".join(parts)


def listed(words: Iterable[str]) -> str:
    """Return "a, b and c"."""
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _cited(keys: Iterable[str]) -> str:
    return "; ".join(f"{key.rpartition(' ')[0]} et al. {key.rpartition(' ')[2]}" for key in keys)
