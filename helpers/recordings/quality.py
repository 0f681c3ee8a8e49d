"""Quality before use: what a recording should be looked at for before its numbers are believed.

Every sweep is measured once (`helpers.recordings.sweep_quality`), then judged against `LIMITS`. Nothing is left out or
corrected: a finding says what was measured, whether it is within its limit, and what to do if it is not.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.validation import one_of

from .charging import beginnings, disagreement, responses_to_steps
from .description import ranges
from .sweep_quality import LEAST_HUM, LEAST_REST, MAINS, Measured, measure

if TYPE_CHECKING:
    from .recording import Recording

__all__ = ["LIMITS", "Finding", "Limit", "Quality", "quality"]


@dataclass(frozen=True)
class Limit:
    """From where on a finding needs a look.

    Parameters
    ----------
    value, unit
        The largest that is good; of the resting potential the distance from -70 mV.
    why
        Why there.
    """

    value: float
    unit: str
    why: str


LIMITS: Mapping[str, Limit] = {
    "rest": Limit(20.0, "mV", "most cells rest between -90 and -50 mV; others are injured, offset or a model cell"),
    "drift across sweeps": Limit(5.0, "mV", "as much changes rheobase and rate noticeably"),
    "drift within sweeps": Limit(2.0, "mV", "R_in and sag are differences from the potential before the step"),
    "V without a step": Limit(10.0, "mV", "larger than synaptic potentials at rest mostly are"),
    "spikes before the step": Limit(0.0, "", "a cell that fires is not at rest"),
    "holding current": Limit(100.0, "pA", "more is a leak, or a cell far from its own rest"),
    "input resistance": Limit(25.0, "%", "how far a weak step may be from the median of all"),
    "sag": Limit(20.0, "%", "of the deflection; I_h, or another current that turns on with hyperpolarisation"),
    "jump at the edges": Limit(10.0, "MΩ", "1 mV of 100 pA is then across the electrode, not the membrane"),
    "clipping": Limit(0.0, "samples", "what was beyond the range of the amplifier is lost"),
    "line hum": Limit(0.1, "mV", "about the noise of a good whole-cell recording"),
    "noise": Limit(0.5, "mV", "spikes stand out from it, small steps no longer do"),
    "sweeps that differ": Limit(0.0, "", "one bad sweep moves a fit of all"),
    "sweeps not readable": Limit(0.0, "", "nothing is left out unsaid"),
}

RANGE_CENTRE = -70.0  # mV, of the resting potentials that are expected
OUTLIER = 5.0  # robust SDs from the median of all sweeps


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    name
        One of `LIMITS`.
    value
        What is compared with the limit; None where it could not be measured.
    unit
        Its unit.
    verdict
        "good", "look" or "not measured".
    words
        What was found, or why it was not measured.
    advice
        What to do; "" if it is good.
    """

    name: str
    value: float | None
    unit: str
    verdict: str
    words: str
    advice: str


class Quality(Sequence[Finding]):
    """The findings about a recording, in the order of `LIMITS`; printed as a table.

    `quality["line hum"]` is the finding of that name, `quality.to_look_at` those that are not good.
    """

    def __init__(self, file: str, findings: Sequence[Finding]) -> None:
        self._file, self._findings = file, tuple(findings)

    def __len__(self) -> int:
        return len(self._findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return self._findings[[x.name for x in self].index(one_of("finding", index, LIMITS))]
        return self._findings[index]

    @property
    def to_look_at(self) -> tuple[Finding, ...]:
        """The findings beyond their limit."""
        return tuple(finding for finding in self if finding.verdict == "look")

    def __repr__(self) -> str:
        lines = [f"{self._file}: {len(self.to_look_at)} of {len(self)} findings need a look"]
        for finding in self:
            head = f"  {finding.name:<24}{finding.verdict:<14}"
            words = finding.words + (f". {finding.advice}" if finding.advice else "")
            lines.append(textwrap.fill(words, 116, initial_indent=head, subsequent_indent=" " * len(head)))
        return "\n".join(lines)


def quality(recording: Recording) -> Quality:
    """Return what a recording should be looked at for, in the order of `LIMITS`.

    rest                     median of V before the first step of each sweep, spikes left out [mV]
    drift across sweeps      highest less lowest rest of a sweep [mV]
    drift within sweeps      median of the last fifth of the rest less that of the first fifth; the largest [mV]
    V without a step         range of the middle 98 % of V where I is constant and no spike is near; the largest [mV]
    spikes before the step   how many, in all sweeps
    holding current          the current before the first step, furthest from 0 [pA]
    input resistance         how far that of a weak step is from the median of all [%]
    sag                      1 - R_steady / R_in, median of the weak steps [%]
    jump at the edges        of V within a sample of the edges of all steps, for each pA: the resistance of an electrode
                             whose bridge is not balanced [MΩ]; negative if it is over-compensated
    clipping                 samples at the highest or lowest value of a sweep that V runs into and out of
    line hum                 amplitude at 50 or 60 Hz with two harmonics, in the longest quiet stretches [mV]
    noise                    robust SD of V about its mean over 10 ms, median of the sweeps [mV]
    sweeps that differ       in rest, noise, holding current or length
    sweeps not readable      how many, with the reasons

    Parameters
    ----------
    recording
        See `Recording`.
    """
    if not (hasattr(recording, "steps") and hasattr(recording, "trace")):
        raise ValueError(f"recording is of type {type(recording).__name__}; allowed: a Recording")
    sweeps = [measure(recording.trace(row.sweep), row) for row in recording.steps]
    findings = [
        _rest(sweeps),
        _drift_across(sweeps),
        _drift_within(sweeps),
        _moving(sweeps),
        _spikes_before(sweeps),
        _holding(sweeps),
        *_resistance(recording),
        _jump(sweeps),
        _clipping(sweeps),
        _hum(sweeps),
        _noise(sweeps),
        _different(sweeps),
        _unreadable(recording),
    ]
    return Quality(recording.path.name, findings)


def _finding(name: str, value: float | None, words: str, advice: str, *, sure: bool = True) -> Finding:
    """Judge a value; `sure` is False where it is not beyond its own noise."""
    limit = LIMITS[name]
    if value is None:
        return Finding(name, None, limit.unit, "not measured", words, "")
    beyond = sure and abs(value) > limit.value
    return Finding(name, float(value), limit.unit, "look" if beyond else "good", words, advice if beyond else "")


def _named(numbers: Sequence[int]) -> str:
    return f"sweep{'s' if len(numbers) > 1 else ''} {ranges(numbers)}"


def _rest(sweeps: Sequence[Measured]) -> Finding:
    rests = [x.rest for x in sweeps if x.rest is not None]
    if not rests:
        return _finding("rest", None, f"no {LEAST_REST:g} ms without current and spikes before the first step", "")
    middle = float(np.median(rests))
    advice = "Is it a cell, healthy, with the offset of the electrode at zero? If it was not: in_model_units subtracts"
    judged = _finding("rest", middle - RANGE_CENTRE, f"{middle:.1f} mV, median of the sweeps", advice)
    return Finding("rest", middle, "mV", judged.verdict, judged.words, judged.advice)


def _drift_across(sweeps: Sequence[Measured]) -> Finding:
    rests = [(x.rest, x.sweep) for x in sweeps if x.rest is not None]
    if len(rests) < 2:
        return _finding("drift across sweeps", None, "fewer than two sweeps have a rest before the step", "")
    (low, a), (high, b) = min(rests), max(rests)
    words = f"rest from {low:.1f} mV (sweep {a}) to {high:.1f} mV (sweep {b})"
    advice = "Take sweeps of like rest (sweeps=), and give the rest with each number"
    return _finding("drift across sweeps", high - low, words, advice)


def _drift_within(sweeps: Sequence[Measured]) -> Finding:
    drifts = [(abs(x.drift), x.drift, x.sweep) for x in sweeps if x.drift is not None]
    if not drifts:
        return _finding("drift within sweeps", None, f"no {LEAST_REST:g} ms of rest before the first step", "")
    size, drift, sweep = max(drifts)
    known = any(x.spikes is not None for x in sweeps)
    words = f"V changes by {drift:+.2f} mV {'before the step of' if known else 'in'} sweep {sweep}, the most"
    advice = "The cell has not come to rest: more time between sweeps, or measure from V just before the step"
    return _finding("drift within sweeps", size, words, advice)


def _moving(sweeps: Sequence[Measured]) -> Finding:
    known = [(x.moving, x.sweep) for x in sweeps if x.moving is not None]
    if not known:
        why = "the current is unknown" if all(x.base is None for x in sweeps) else "I is nowhere constant for long"
        return _finding("V without a step", None, why, "")
    most, sweep = max(known)
    words = f"V moves by {most:.1f} mV in sweep {sweep} where I is constant, the most"
    advice = "Spontaneous activity, slow recovery, or a stimulus that is not in the file: compare V and I in the plot"
    return _finding("V without a step", most, words, advice)


def _spikes_before(sweeps: Sequence[Measured]) -> Finding:
    known = [x.spikes for x in sweeps if x.spikes is not None]
    if not known:
        return _finding("spikes before the step", None, "no step is known", "")
    firing, count = [x.sweep for x in sweeps if x.spikes], sum(known)
    words = f"{count} in {_named(firing)}" if firing else "none"
    advice = "The cell fires without the step: rheobase, latency and R_in do not mean what they mean at rest"
    return _finding("spikes before the step", count, words, advice)


def _holding(sweeps: Sequence[Measured]) -> Finding:
    bases = [x.base for x in sweeps if x.base is not None]
    if not bases:
        return _finding("holding current", None, "the current is unknown", "")
    most = max(bases, key=abs)
    words = f"{most:.4g} pA" if np.ptp(bases) < 1.0 else f"from {min(bases):.4g} to {max(bases):.4g} pA"
    return _finding("holding current", most, words, "The potential before the step is not the cell's own rest: say so")


def _resistance(recording: Recording) -> list[Finding]:
    parts, left_out = beginnings(recording, 100.0) if recording.steps.unit == "pA" else ([], ["I is a density"])
    responses = responses_to_steps(parts, 100.0)
    if not responses:
        why = left_out[0] if left_out else "no hyperpolarising step of 100 ms or more from holding"
        why = "no weak step follows an exponential" if parts else why
        return [_finding(name, None, why, "") for name in ("input resistance", "sag")]
    R = [x.R_in for x in responses]
    spread, disagree = disagreement(responses)
    missing = f"; {len(parts) - len(responses)} of {len(parts)} follow no exponential" if len(parts) > len(R) else ""
    words = f"{np.median(R):,.0f} MΩ, median of {len(R)} weak step{'s' if len(R) > 1 else ''}"
    words += f"; {disagree}" if disagree else f", {min(R):,.0f} to {max(R):,.0f} MΩ" if len(R) > 1 else ""
    advice = "Give R_in with amplitude and rest; sweeps= takes those that belong together"
    sag = 100.0 * float(np.median([1.0 - x.R_steady / x.R_in for x in responses]))
    return [
        _finding("input resistance", 100.0 * spread, words + missing, advice, sure=bool(disagree)),
        _finding("sag", max(sag, 0.0), f"{sag:.0f} % of the deflection", "R_in is that of the peak, R_steady less"),
    ]


def _jump(sweeps: Sequence[Measured]) -> Finding:
    name = "jump at the edges"
    jumps = np.array([jump for x in sweeps for jump in x.jumps])
    if len(jumps) < 2:
        return _finding(name, None, "fewer than two edges of constant steps without a spike nearby", "")
    change, V = jumps.T
    R = float(change @ V / (change @ change))
    error = float(np.sqrt(np.sum((V - R * change) ** 2) / (len(V) - 1) / (change @ change)))
    words = f"{1e3 * R:.1f} ± {1e3 * error:.1f} MΩ, from {len(V)} edges"
    advice = (
        "Part of V in the step is across the electrode (balance the bridge), or in thin dendrites: "
        "V - R·I is the membrane's, and R_steady is too large by R"
    )
    return _finding(name, 1e3 * R, words, advice, sure=abs(R) > 3.0 * error)


def _clipping(sweeps: Sequence[Measured]) -> Finding:
    stuck = [x for x in sweeps if x.clipped]
    count = sum(x.clipped for x in stuck)
    words = f"{count} samples at {stuck[0].clipped_at:.1f} mV in {_named([x.sweep for x in stuck])}" if stuck else ""
    advice = "V went beyond the range of amplifier or digitiser: peaks there are lost; a lower gain helps"
    return _finding("clipping", count, words or "none", advice)


def _hum(sweeps: Sequence[Measured]) -> Finding:
    found = [x.hum for x in sweeps if x.hum]
    if not found:
        return _finding("line hum", None, f"no quiet stretch of {LEAST_HUM:g} ms", "")
    mean = {f: (np.mean([x[f][0] for x in found]), np.mean([x[f][1] for x in found])) for f in MAINS}
    amplitude = {f: float(np.sqrt(max(0.0, float(here - beside)))) for f, (here, beside) in mean.items()}
    most = max(amplitude, key=lambda f: amplitude[f])
    here, beside = mean[most]
    words = f"{amplitude[most]:.3f} mV at {most:g} Hz with two harmonics"
    advice = "Ground the bath and shield the lamp and pump; a notch filter would bend spikes"
    return _finding("line hum", amplitude[most], words, advice, sure=bool(here > 4.0 * beside))


def _noise(sweeps: Sequence[Measured]) -> Finding:
    noises = [x.noise for x in sweeps if x.noise is not None]
    if not noises:
        return _finding("noise", None, f"no quiet stretch of {LEAST_REST:g} ms", "")
    middle = float(np.median(noises))
    advice = "Average sweeps, or low-pass V before amplitudes are measured; spikes are found all the same"
    return _finding("noise", middle, f"{middle:.3f} mV about the mean over 10 ms", advice)


def _different(sweeps: Sequence[Measured]) -> Finding:
    kinds = {"rest": (5.0, "mV"), "noise": (0.1, "mV"), "base": (5.0, "pA"), "length": (1.0, "ms")}
    parts, odd = [], set()
    for kind, (least, unit) in kinds.items():
        known = [(x.sweep, float(getattr(x, kind))) for x in sweeps if getattr(x, kind) is not None]
        if len(known) < 3:
            continue
        values = np.array([value for _, value in known])
        middle = float(np.median(values))
        scale = max(least, OUTLIER * 1.4826 * float(np.median(np.abs(values - middle))))
        far = [(sweep, value) for sweep, value in known if abs(value - middle) > scale]
        odd |= {sweep for sweep, _ in far}
        name = {"base": "holding current"}.get(kind, kind)
        parts += [f"{name} of sweep {sweep}: {value:.4g} {unit} (median {middle:.4g})" for sweep, value in far[:3]]
        parts += [f"{name} of {len(far) - 3} more"] if len(far) > 3 else []
    advice = "Look at them in recording.plot(); sweeps= leaves them out"
    return _finding("sweeps that differ", len(odd), "; ".join(parts) or "none", advice)


def _unreadable(recording: Recording) -> Finding:
    refused = recording.refused
    first = f": {next(iter(refused.values()))}" if refused else ""
    words = f"{_named(sorted(refused))}{first}" if refused else "none"
    return _finding("sweeps not readable", len(refused), words, "The reason says what helps; sweeps= leaves them out")
