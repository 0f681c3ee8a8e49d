"""Features of recorded and simulated traces next to those of eFEL, and the table of docs/features.md made from them.

PYTHONPATH=.:tests PYHH_RECORDINGS=FOLDER python -m support.efel_parity      rewrite the table
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import efel
import numpy as np

from helpers.neurons.models import HodgkinHuxley, Pospischil
from helpers.recordings import load
from helpers.simulation.electrophysiology import measure_features, measure_spikes
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import step
from helpers.simulation.trace import Trace

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
BEGIN, END = "<!-- made by: python -m support.efel_parity -->", "<!-- end of what support.efel_parity made -->"
ALL_TRACES = 45  # five simulations, two recordings of 17 sweeps and six sweeps of the Allen Institute
STEP = 0.05  # ms between eFEL's points, so that its slope, too, is one over 0.1 ms


@dataclass(frozen=True)
class Case:
    """One value here and in eFEL, the trace that both describe, and what eFEL found in it."""

    trace: Trace
    efel: dict[str, np.ndarray]
    here: dict[str, float]
    spike: int
    ours: float
    theirs: float

    def V(self, time: float) -> float:
        """V at a time [ms], on eFEL's points."""
        return float(np.interp(time, self.efel["time"], self.efel["voltage"]))


@dataclass(frozen=True)
class Row:
    """A feature, what eFEL calls it, how far the two may be apart, and why some are further."""

    name: str
    efel: str
    within: float
    why: str = ""
    explained: Callable[[Case], bool] = lambda case: False
    of: Callable[[dict[str, np.ndarray], Trace], np.ndarray | float] | None = None  # from several features of eFEL


def begins_one_sample_later(case: Case) -> bool:
    """Our threshold lies between eFEL's and V at the sample before."""
    begin = int(case.efel["AP_begin_indices"][case.spike])
    before, after = case.efel["voltage"][begin - 1], case.efel["voltage"][begin]
    return bool(before - 0.06 <= case.here["threshold"] <= after + 0.06)


def is_as_low(case: Case) -> bool:
    """V is as low at eFEL's time as it is here, to within a few steps of the converter."""
    peak = case.efel["peak_time"][case.spike]
    return abs(case.V(peak + case.theirs) - case.here["ahp_voltage"]) <= 0.1


def falls_slowly(case: Case) -> bool:
    """At the end of eFEL's width V is at our threshold, but for the difference of the thresholds; or still above."""
    begin = case.efel["AP_begin_indices"][case.spike]
    V, threshold = case.V(case.efel["time"][begin] + case.theirs), case.efel["voltage"][begin]
    return V > threshold or abs(V - case.here["threshold"]) <= 0.1 + abs(threshold - case.here["threshold"])


def begins_at_the_onset(case: Case) -> bool:
    """eFEL's value is the lowest V without the sample at the onset."""
    t = case.trace.t
    rest = (t > case.trace.start + 0.5 * case.trace.dt) & (t < case.trace.stop)
    return abs(float(case.trace.V[rest].min()) - case.theirs) <= 0.1


SPIKES = (
    Row("time", "peak_time", 0.1),
    Row("threshold", "AP_begin_voltage", 0.5, "eFEL takes the first sample beyond 10 mV/ms, here V is interpolated",
        begins_one_sample_later),
    Row("peak", "peak_voltage", 0.5),
    Row("amplitude", "AP_amplitude", 0.5, "as the threshold", begins_one_sample_later),
    Row("half_width", "AP_duration_half_width", 0.1, "eFEL ends the last spike after the stimulus",
        lambda case: case.efel["time"][case.efel["AP_fall_indices"][case.spike]] >= case.trace.stop),
    Row("width", "AP_begin_width", 0.1, "where V falls slowly, eFEL's higher threshold is "
        "reached much earlier, or its search ends at a small minimum before",
        falls_slowly),
    Row("rise_time", "AP_rise_time", 0.1),
    Row("rise_speed", "AP_peak_upstroke", 4.0, "eFEL's points are 0.05 ms apart; closer samples find a steeper "
        "0.1 ms",
        lambda case: case.trace.dt < STEP and 0.0 <= case.ours / case.theirs - 1.0 < 0.1),
    Row("fall_speed", "-AP_peak_downstroke", 4.0, of=lambda found, trace: -found["AP_peak_downstroke"]),
    Row("ahp_voltage", "min_between_peaks_values", 0.5),
    Row("ahp_depth", "AP_begin_voltage - min_between_peaks_values", 0.5, "as the threshold", begins_one_sample_later,
        lambda found, trace: found["AP_begin_voltage"] - found["min_between_peaks_values"]),
    Row("ahp_time", "time of min_between_peaks_indices - peak_time", 0.1, "V is as low for longer", is_as_low,
        lambda found, trace: found["time"][found["min_between_peaks_indices"]] - found["peak_time"]),
)  # fmt: skip
TRACES = (
    Row("spike_count", "spike_count_stimint", 0.0),
    Row("mean_rate", "mean_frequency", 0.05, of=lambda found, trace: found["mean_frequency"]
        * (found["peak_time"][-1] - trace.start) / (trace.stop - trace.start)),
    Row("latency", "time_to_first_spike", 0.1),
    Row("first_interval", "doublet_ISI", 0.1),
    Row("last_interval", "last of all_ISI_values", 0.1, of=lambda found, trace: found["all_ISI_values"][-1]),
    Row("mean_interval", "mean of all_ISI_values", 0.1, of=lambda found, trace: found["all_ISI_values"].mean()),
    Row("interval_cv", "ISI_CV", 0.01),
    Row("adaptation_index", "adaptation_index", 0.01),
    Row("V_rest", "voltage_base", 0.5),
    Row("V_steady", "steady_state_voltage_stimend", 0.5),
    Row("deflection", "voltage_deflection_vb_ssse", 0.5),
    Row("lowest", "minimum_voltage", 0.5, "eFEL leaves out the sample at the onset, where V may be at rest",
        begins_at_the_onset),
    Row("sag", "sag_amplitude", 0.5),
    Row("sag_ratio", "sag_ratio1", 0.05),
)  # fmt: skip
ASKED = (
    "peak_time", "AP_begin_voltage", "AP_begin_indices", "peak_voltage", "AP_amplitude", "AP_duration_half_width",
    "AP_fall_indices", "AP_begin_width", "AP_rise_time", "AP_peak_upstroke", "AP_peak_downstroke", "time", "voltage",
    "min_between_peaks_values", "min_between_peaks_indices", "spike_count_stimint", "mean_frequency", "doublet_ISI",
    "time_to_first_spike", "all_ISI_values", "ISI_CV", "adaptation_index", "voltage_base", "minimum_voltage",
    "steady_state_voltage_stimend", "voltage_deflection_vb_ssse", "sag_amplitude", "sag_ratio1",
)  # fmt: skip


def simulated() -> Iterator[Trace]:
    """Steps into two neurons, without noise."""
    yield simulate(HodgkinHuxley(), step(10.0, 50.0, 150.0), 200.0, 0.025)
    yield simulate(HodgkinHuxley(), step(-5.0, 50.0, 150.0), 200.0, 0.025)
    for amplitude in (2.0, 3.0, 5.0):
        yield simulate(Pospischil(noise=0.0), step(amplitude, 100.0, 400.0), 500.0, 0.025)


def recorded(folder: Path) -> Iterator[Trace]:
    """Every sweep of the published current-clamp recordings, and those of the Allen Institute where there are any."""
    for name in ("regular_spiking", "fast_spiking"):
        yield from (load(name, sweep) for sweep in range(17))
    for path in sorted((folder / "allen").glob("*.npz")):
        with np.load(path) as file:
            V, I = file["V"].astype(float), file["I_pA"].astype(float)
            t = np.arange(len(V)) * float(file["dt_ms"])
            yield Trace(t, {"V": V}, I, float(file["on_ms"]), float(file["off_ms"]), I_unit="pA")


def with_efel(trace: Trace) -> dict[str, np.ndarray]:
    """What eFEL finds; it looks where we look: spikes during the stimulus, all of them, rest in the last 100 ms."""
    efel.reset()
    for setting, value in {
        "interp_step": STEP, "strict_stiminterval": True, "ignore_first_ISI": False, "spike_skipf": 0.0,
        "voltage_base_start_perc": max(0.0, 1.0 - 100.0 / trace.start), "voltage_base_mode": "median",
    }.items():  # fmt: skip
        efel.set_setting(setting, value)
    described = {"T": trace.t, "V": trace.V, "stim_start": [trace.start], "stim_end": [trace.stop]}
    (found,) = efel.get_feature_values([described], list(ASKED), raise_warnings=False)
    efel.reset()
    return {name: np.asarray(values) for name, values in found.items() if values is not None}


def compare(trace: Trace) -> Iterator[tuple[Row, Case]]:
    """Every value that both have; a spike that only one has is an error."""
    found, spikes, whole = with_efel(trace), measure_spikes(trace), dict(measure_features(trace))
    assert len(spikes) == found["spike_count_stimint"][0]
    for row in (*SPIKES, *TRACES):
        try:
            values = np.atleast_1d(row.of(found, trace) if row.of else found[row.efel])
        except KeyError:  # eFEL does not have it
            continue
        if row in TRACES and row.name in whole:
            yield row, Case(trace, found, whole, 0, whole[row.name], float(values[0]))
        if row in SPIKES:  # eFEL leaves out the last spike where it does not find the end of it
            assert len(values) >= len(spikes) - 1
            for spike, (value, ours) in enumerate(zip(values, spikes, strict=False)):
                if row.name in ours:
                    yield row, Case(trace, found, dict(ours), spike, ours[row.name], float(value))


def compare_all(traces: Iterable[Trace]) -> dict[str, list[tuple[Row, Case]]]:
    """Every value of every trace, by name of the feature."""
    cases: dict[str, list[tuple[Row, Case]]] = {row.name: [] for row in (*TRACES, *SPIKES)}
    for trace in traces:
        for row, case in compare(trace):
            cases[row.name].append((row, case))
    return cases


def table(cases: dict[str, list[tuple[Row, Case]]]) -> str:
    """The table of the page."""
    lines = ["| here | in eFEL | compared | within | median | largest | further apart, and why |"]
    lines.append("|---|---|---:|---:|---:|---:|---|")
    for row in (*TRACES, *SPIKES):
        differences = np.array([case.ours - case.theirs for _, case in cases[row.name]])
        near = np.abs(differences) <= row.within + 1e-9
        far = f"{np.count_nonzero(~near)}, up to {np.abs(differences).max():.2f}: {row.why}" if not near.all() else ""
        lines.append(
            f"| `{row.name}` | `{row.efel}` | {len(near)} | {row.within:g} | {abs(np.median(differences)):.3f} | "
            f"{np.abs(differences[near]).max():.3f} | {far} |"
        )
    return "\n".join(lines)


def page(cases: dict[str, list[tuple[Row, Case]]]) -> str:
    """The whole page with a fresh table."""
    head, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    return f"{head}{BEGIN}\n\n{table(cases)}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    traces = [*simulated(), *recorded(Path(os.environ["PYHH_RECORDINGS"]))]
    assert len(traces) == ALL_TRACES, "the table needs the recordings of the Allen Institute, too"
    PAGE.write_text(page(compare_all(traces)), encoding="utf-8")
