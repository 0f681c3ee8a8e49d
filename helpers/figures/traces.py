"""Every figure of the series: functions that draw on given axes and return them. `use_style()` sets the look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.experiments.dynamics import HopfPoint, eigenvalues, fixed_points, nullclines, separatrix
from helpers.neurons.equations import Neuron
from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.lsoda import slopes
from helpers.simulation.trace import Trace

__all__ = [
    "COLOURS",
    "direct_label",
    "mathematical",
    "plot_conductances",
    "plot_counts",
    "plot_currents",
    "plot_f_I",
    "plot_family",
    "plot_gates",
    "plot_hopf",
    "plot_injected",
    "plot_jitter",
    "plot_onset",
    "plot_pair",
    "plot_phase_plane",
    "plot_posterior",
    "plot_precision",
    "plot_predictive",
    "plot_scatter",
    "plot_spike",
    "plot_swing",
    "plot_tongues",
    "plot_voltage",
    "use_style",
]

# One colour and one line style for each thing, in every figure.
COLOURS = {
    "V": "#000000", "I": "#7F7F7F",
    "m": "#D55E00", "h": "#B0568A", "n": "#0072B2", "p": "#009E73",
    "I_Na": "#D55E00", "I_K": "#0072B2", "I_M": "#009E73", "I_L": "#7F7F7F", "I_leak": "#7F7F7F",
}  # fmt: skip
LINES = {"h": (0, (5, 1.5)), "n": (0, (1, 1)), "p": (0, (3, 1, 1, 1))} | {
    "I_K": (0, (5, 1.5)), "I_L": (0, (1, 1)), "I_leak": (0, (1, 1)), "I_M": (0, (3, 1, 1, 1)),
}  # fmt: skip


def use_style() -> None:
    """Switch matplotlib to the look of the series."""
    plt.style.use(Path(__file__).with_name("pyhh.mplstyle"))


def direct_label(ax: Axes, x: float, y: float, text: str, colour: str, rise: float = 0.0) -> None:
    """Write the name of a line beside the point (x, y), `rise` points higher, in the line's colour."""
    ax.annotate(
        text, (x, y), xytext=(5, rise), textcoords="offset points", color=colour, va="center", annotation_clip=False
    )


def mathematical(name: str) -> str:
    """I_Na as I with the index Na."""
    head, _, index = name.partition("_")
    return rf"${head}_{{\mathrm{{{index}}}}}$" if index else f"${head}$"


def plot_voltage(ax: Axes, trace: Trace) -> Axes:
    """V over time; a small tick above each spike marks the time at which V rises through the spike threshold."""
    ax.plot(trace.t, trace.V, color=COLOURS["V"])
    ax.plot(trace.spike_times, np.full(len(trace.spike_times), trace.V.max() + 8), "|", color=COLOURS["V"])
    ax.set_ylabel("V (mV)")
    return ax


def plot_injected(ax: Axes, trace: Trace) -> Axes:
    """The injected current over time."""
    ax.plot(trace.t, trace.I, color=COLOURS["I"], drawstyle="steps-post")
    ax.set_ylabel(f"I ({trace.I_unit})")
    return ax


def plot_gates(ax: Axes, trace: Trace) -> Axes:
    """The open fraction of each gate over time, labelled at the right end."""
    for name, values in trace.gates.items():
        ax.plot(trace.t, values, color=COLOURS[name], linestyle=LINES.get(name, "-"))
    _label_ends(ax, trace.t, trace.gates)
    ax.set_ylabel("open fraction")
    ax.set_ylim(-0.03, 1.03)
    return ax


def plot_currents(ax: Axes, trace: Trace) -> Axes:
    """The ionic currents over time, outward positive, each labelled where it is largest."""
    for name, values in trace.currents.items():
        ax.plot(trace.t, values, color=COLOURS[name], linestyle=LINES.get(name, "-"))
    for name, values in trace.currents.items():
        peak = int(np.argmax(np.abs(values)))
        direct_label(ax, trace.t[peak], values[peak], mathematical(name), COLOURS[name], rise=9 * np.sign(values[peak]))
    ax.set_ylabel("current (µA/cm²)")
    ax.margins(y=0.15)
    return ax


def plot_conductances(ax: Axes, t: np.ndarray, conductances: Mapping[str, np.ndarray]) -> Axes:
    """Conductances (n,) [mS/cm²] by name of their current over time, each labelled where it is largest."""
    for name, g in conductances.items():
        ax.plot(t, g, color=COLOURS[name], linestyle=LINES.get(name, "-"))
        peak = int(np.argmax(g))
        if g[peak] > 1.0:  # a line at the bottom needs no name
            direct_label(ax, t[peak], g[peak], mathematical(name.replace("I_", "g_")), COLOURS[name], rise=6)
    ax.set_ylabel("conductance\n(mS/cm²)")
    ax.margins(y=0.12)
    return ax


def plot_family(
    ax: Axes, t: np.ndarray, currents: np.ndarray, levels: Sequence[float], name_every: int = 0, at: float | None = None
) -> Axes:
    """Currents (n_family, n) under voltage clamp over time, dark at the lowest test level [mV], light at the highest.

    name_every: write the level of every so many lines at the right edge (0: none), as high as the line is at the time
        `at` [ms], by default at the end.
    """
    where = len(t) - 1 if at is None else int(np.argmin(np.abs(t - at)))
    for k, (level, current, shade) in enumerate(zip(levels, currents, shades(len(levels)), strict=True)):
        ax.plot(t, current, color=shade, linewidth=1.4)
        if name_every and k % name_every == (len(levels) - 1) % name_every:
            direct_label(ax, t[-1], current[where], f"{_signed(level)} mV", shade)
    ax.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
    return ax


def shades(count: int) -> np.ndarray:
    """Colours (count, 4) from dark to light, told apart in grey print, too."""
    return plt.get_cmap("viridis")(np.linspace(0.0, 0.85, count))


def _signed(level: float) -> str:
    """A level with its sign, as axes write it."""
    return f"{level:+.0f}".replace("-", "\N{MINUS SIGN}")


def plot_responses(traces: Mapping[str, Trace], width: float = 9.0) -> Figure:
    """V above the injected current for each of several experiments side by side, on shared axes, with their titles."""
    figure, axes = plt.subplots(
        2, len(traces), figsize=(width, 4), sharex="col", sharey="row", squeeze=False, height_ratios=[3, 1]
    )
    for (top, bottom), (title, trace) in zip(axes.T, traces.items(), strict=True):
        plot_voltage(top, trace).set_title(title)
        plot_injected(bottom, trace).set_xlabel("time (ms)")
        if top is not axes[0, 0]:
            top.set_ylabel("")
            bottom.set_ylabel("")
    figure.align_ylabels()
    return figure


def _label_ends(ax: Axes, t: np.ndarray, lines: Mapping[str, np.ndarray]) -> None:
    """Name each line at its right end, moved apart where ends lie close."""
    low, high = -0.03, 1.03
    place = -np.inf
    for name in sorted(lines, key=lambda name: lines[name][-1]):
        place = max(place + 0.11 * (high - low), lines[name][-1])
        direct_label(ax, t[-1], place, mathematical(name), COLOURS[name])


def plot_spike(
    trace: Trace,
    begin: float | None = None,
    end: float | None = None,
    conductances: Mapping[str, np.ndarray] | None = None,
) -> Figure:
    """Injected current, V, gates and ionic currents above one another on one time axis, from `begin` to `end` [ms].

    conductances: by name of the current, each (n,) [mS/cm²]; given, they are drawn between the gates and the currents.
    """
    keep = (trace.t >= (trace.t[0] if begin is None else begin)) & (trace.t <= (trace.t[-1] if end is None else end))
    part = Trace(
        t=trace.t[keep],
        V=trace.V[keep],
        I=trace.I[keep],
        start=max(trace.start, trace.t[keep][0]),
        stop=min(trace.stop, trace.t[keep][-1]),
        gates={name: values[keep] for name, values in trace.gates.items()},
        currents={name: values[keep] for name, values in trace.currents.items()},
        I_unit=trace.I_unit,
        spike_threshold=trace.spike_threshold,
    )
    plots = [plot_injected, plot_voltage, plot_gates, plot_currents]
    if conductances is not None:
        shown = {name: g[keep] for name, g in conductances.items()}
        plots.insert(3, lambda ax, part: plot_conductances(ax, part.t, shown))
    heights = [1, 3, 2, *[3] * (len(plots) - 3)]
    figure, axes = plt.subplots(len(plots), 1, figsize=(9, 2 * len(plots)), sharex=True, height_ratios=heights)
    for ax, plot in zip(axes, plots, strict=True):
        plot(ax, part)
    axes[-1].set_xlabel("time (ms)")
    figure.align_ylabels()
    return figure


def plot_posterior(
    samples: np.ndarray,
    labels: Sequence[str],
    truth: Sequence[float] | None = None,
    limits: Sequence[tuple[float, float]] | None = None,
) -> Figure:
    """Pair plot of posterior samples (n, n_parameters): marginals on the diagonal, pairs below, truth as a cross.

    limits: axis range of each parameter, e.g. the prior box; by default that of the samples.
    """
    count = len(labels)
    size = 2.3 * count + 1.2
    figure, axes = plt.subplots(count, count, figsize=(size, 0.85 * size), squeeze=False)
    for row, column in np.ndindex(count, count):
        ax = axes[row, column]
        if column > row:
            ax.axis("off")
            continue
        if row == column:
            sns.histplot(x=samples[:, row], ax=ax, color=COLOURS["I_K"], element="step", stat="density", bins=40)
            ax.set(yticks=[], ylabel="")
            ax.spines["left"].set_visible(False)
        else:
            ax.plot(samples[:, column], samples[:, row], ".", color=COLOURS["I_K"], alpha=0.25, markersize=3)
        if truth is not None and row == column:
            ax.axvline(truth[row], color=COLOURS["I_Na"], linestyle="--")
        elif truth is not None:
            ax.plot(truth[column], truth[row], "+", color=COLOURS["I_Na"], markersize=16, markeredgewidth=2.5)
        if limits is not None:
            ax.set_xlim(limits[column])
            if row != column:
                ax.set_ylim(limits[row])
        if row == column and count > 2:  # the axis label stands far below
            ax.set_title(labels[row], fontsize=11)
        ax.set_xlabel(labels[column] if row == count - 1 else "")
        ax.set_ylabel(labels[row] if column == 0 and row > 0 else "")
    return figure


def plot_predictive(ax: Axes, observed: Trace, simulated: Sequence[Trace]) -> Axes:
    """Posterior predictive traces (thin) behind the observed one."""
    for trace in simulated:
        ax.plot(trace.t, trace.V, color=COLOURS["I_K"], linewidth=0.7, alpha=0.35)
    ax.plot(observed.t, observed.V, color=COLOURS["V"], linewidth=1.4)
    ax.set(xlabel="time (ms)", ylabel="V (mV)")
    return ax


def plot_f_I(ax: Axes, currents: np.ndarray, rates: np.ndarray, fits: Mapping[str, np.ndarray]) -> Axes:
    """A measured f-I curve (dots) and fitted curves (`currents` to rate [Hz]), each with its own line style."""
    styles = ["-", (0, (5, 1.5)), (0, (1, 1)), (0, (3, 1, 1, 1))]
    palette = [COLOURS["I_Na"], COLOURS["I_K"], COLOURS["p"], "#CC79A7"]
    for (name, curve), style, colour in zip(fits.items(), styles, palette, strict=False):
        ax.plot(currents, curve, color=colour, linestyle=style, label=name)
    ax.plot(currents, rates, "o", color=COLOURS["V"], markersize=5, label="neuron")
    ax.set(xlabel="injected current (µA/cm²)", ylabel="firing rate (Hz)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5)  # above the axes, where no line can run
    return ax


def plot_phase_plane(
    ax: Axes,
    neuron: Neuron,
    plane: tuple[str, str],
    x: np.ndarray,
    y: np.ndarray,
    state: np.ndarray,
    I: float = 0.0,
) -> Axes:
    """A plane of the first state and a second, the others frozen at `state` (n_states,), under the current `I`.

    Arrows show where the two states go, lines where one of them stands still, points where both do: full if stable,
    open if not. Where there is a saddle, a dash-dotted line through it parts the starts that end on either side.
    x, y: the grid, (n_x,) and (n_y,).
    """
    frozen = {name: float(value) for name, value in zip(neuron.states(), state, strict=True) if name not in plane}
    across, up = (neuron.states().index(name) for name in plane)
    arrows = np.multiply.outer(state, np.ones((13, 17)))
    arrows[across], arrows[up] = np.meshgrid(np.linspace(x[0], x[-1], 19)[1:-1], np.linspace(y[0], y[-1], 15)[1:-1])
    moves = slopes(neuron, arrows, I)[[across, up]] / np.reshape([np.ptp(x), np.ptp(y)], (2, 1, 1))
    moves /= np.hypot(*moves)  # directions only: the lengths differ a thousandfold
    ax.quiver(arrows[across], arrows[up], *moves, color="0.78", scale=22, width=0.006, headwidth=4, pivot="middle")
    for (name, lines), style in zip(nullclines(neuron, plane, x, y, state, I).items(), ("-", "--"), strict=True):
        for line in lines:
            ax.plot(*line.T, color=COLOURS[name], linestyle=style)
    for point in fixed_points(neuron, I, frozen, span=(x[0], x[-1])):
        values = eigenvalues(neuron, point, frozen).real
        if values[0] > 0 > values[-1]:
            parting = separatrix(neuron, point, frozen, I, span=(x[0], x[-1]))
            ax.plot(parting[:, across], parting[:, up], color=COLOURS["p"], linestyle=(0, (6, 2, 1, 2)), linewidth=1.4)
        face = COLOURS["V"] if values[0] < 0 else "white"
        ax.plot(point[across], point[up], "o", color=COLOURS["V"], markerfacecolor=face, markersize=8, clip_on=False)
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel=f"{plane[0]} (mV)", ylabel=plane[1])
    return ax


def plot_precision(ax: Axes, lines: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Axes:
    """Error against cost on logarithmic axes: by name of the line (cost (n,), error (n,)), named at the right end."""
    palette = [COLOURS["I_Na"], "#E69F00", COLOURS["p"], COLOURS["n"], "#CC79A7", COLOURS["V"]]
    markers, styles = "os^DvP", ["-", (0, (5, 1.5)), (0, (1, 1)), (0, (3, 1, 1, 1)), "-", (0, (5, 1.5))]
    ends = {}
    for (name, (cost, error)), colour, marker, style in zip(lines.items(), palette, markers, styles, strict=False):
        ax.loglog(cost, error, color=colour, marker=marker, markersize=6, linestyle=style)
        ends[name] = (error[-1], cost[-1], colour)
    place = 0.0
    for name, (error, cost, colour) in sorted(ends.items(), key=lambda item: item[1][0]):
        place = max(6.0 * place, error)  # names at least most of a decade apart
        direct_label(ax, cost, place, f" {name}", colour)
    return ax


def plot_pair(ax: Axes, traces: Mapping[str, Trace]) -> Axes:
    """V of two neurons, or of one neuron twice, by name: the first solid, the second dashed, named at the right."""
    looks = [(COLOURS["I_K"], "-"), (COLOURS["I_Na"], (0, (4, 1.5)))]
    for (name, trace), (colour, style), height in zip(traces.items(), looks, (0.85, 0.6), strict=True):
        ax.plot(trace.t, trace.V, color=colour, linestyle=style, linewidth=1.5)
        ax.text(1.01, height, name, color=colour, transform=ax.transAxes, va="center")
    ax.set_ylabel("V (mV)")
    return ax


def plot_onset(ax: Axes, currents: np.ndarray, rates: np.ndarray, band: tuple[float, float]) -> Axes:
    """An f-I curve (n,) that jumps: the silent and the firing part as two lines, and a grey band of currents."""
    first = int(np.argmax(rates > 0))
    ax.axvspan(*band, color="0.9")
    for part in (slice(None, first), slice(first, None)):
        ax.plot(currents[part], rates[part], color=COLOURS["V"])
    direct_label(ax, band[1], 12, f"grey, {band[0]} to {band[1]} µA/cm²: what happens depends on the start", "0.35")
    direct_label(ax, band[0], rates[first] - 9, f"the jump, 0 to {rates[first]:.0f} Hz", COLOURS["V"])
    ax.set(xlabel="injected current (µA/cm²)", ylabel="steady firing rate (Hz)", ylim=(-4, None))
    return ax


def plot_hopf(left: Axes, right: Axes, currents: np.ndarray, pair: np.ndarray, points: Sequence[HopfPoint]) -> None:
    """A pair of eigenvalues (n,) [1/ms] against the current (n,): its real part, its frequency, and two Hopf points."""
    for ax, values in ((left, pair.real), (right, 1000 * pair.imag / (2 * np.pi))):
        ax.plot(currents, values, color=COLOURS["V"])
        ax.set_xlabel("injected current (µA/cm²)")
    left.axhline(0.0, color="0.6", linewidth=1)
    for point, side in zip(points, ("left", "right"), strict=True):
        left.plot(point.I, 0.0, "o", color=COLOURS["m"])
        right.plot(point.I, point.frequency, "o", color=COLOURS["m"])
        shift = 8 if side == "left" else -8
        left.annotate(
            f"{point.I:.2f}", (point.I, 0), (shift, -14), textcoords="offset points", ha=side, color=COLOURS["m"]
        )
    left.text(sum(point.I for point in points) / 2, 0.03, "pushes grow:\nno rest", ha="center")
    left.set_ylabel("Re λ (1/ms)")
    right.set(ylabel="frequency of the swing (Hz)", ylim=(0, 200))


def plot_swing(
    ax: Axes, currents: np.ndarray, V: np.ndarray, I: np.ndarray, standing: np.ndarray, lost: tuple[float, float]
) -> Axes:
    """The highest and the lowest V under held `currents` (n,), and the V at which the neuron can stand still.

    V: (n, n_samples) [mV], steady. I, standing: the currents (k,) and the V (k,) of the states that stand still;
    dotted between the currents `lost`, where they are unstable.
    """
    swinging = np.ptp(V, axis=1) > 0.5
    for extreme, name, rise in ((V.max(axis=1), "highest V", 14), (V.min(axis=1), "lowest V", -12)):
        ax.plot(currents[swinging], extreme[swinging], "o", markersize=3.5, color=COLOURS["n"])
        direct_label(ax, 20, np.interp(20, currents, extreme), name, COLOURS["n"], rise=rise)
    unstable = (I > lost[0]) & (I < lost[1])
    for part, style in ((I <= lost[0], "-"), (unstable, ":"), (I >= lost[1], "-")):
        ax.plot(I[part], standing[part], color=COLOURS["V"], linestyle=style)
    direct_label(ax, 14, -43, "V that stands still (dotted: unstable)", COLOURS["V"])
    ax.set(ylabel="V (mV)", ylim=(-88, 45))
    return ax


def plot_counts(top: Axes, bottom: Axes, currents: np.ndarray, counted: Mapping[float, np.ndarray]) -> None:
    """Rates (n,) [Hz] by counting rule, the V [mV] whose upward crossing is a spike; `top` has an axis of V."""
    for (rule, rates), style in zip(counted.items(), ("--", "-"), strict=True):
        top.axhline(rule, color=COLOURS["m"], linestyle=style, linewidth=1)
        bottom.plot(currents, rates, color=COLOURS["m"], linestyle=style)
        direct_label(top, 0.7 * currents[-1], rule + 5, f"spikes counted at {rule:.0f} mV", COLOURS["m"])
        direct_label(bottom, currents[rates > 0][-1] + 1, 60, f"{rule:.0f} mV", COLOURS["m"])
    bottom.set(xlabel="injected current (µA/cm²)", ylabel="rate (Hz)")


def plot_scatter(ax: Axes, steps: np.ndarray, right: np.ndarray, wrong: np.ndarray, exact: float) -> Axes:
    """SD of V (n,) [mV] against the time step (n,) [ms], by noise scaled to the step and by noise that is not."""
    ax.loglog(steps, right, "o-", color=COLOURS["n"])
    ax.loglog(steps, wrong, "s--", color=COLOURS["m"])
    ax.axhline(exact, color=COLOURS["V"], linestyle=":")
    direct_label(ax, steps.min(), exact, f"σξ/√dt in each step; dotted: exact, {exact:.3f} mV", COLOURS["n"], rise=14)
    direct_label(ax, 0.0047, 0.16, "σξ in each step: grows as √dt", COLOURS["m"])
    ax.set(xlabel="time step (ms)", ylabel="SD of V (mV)", xticks=steps, xticklabels=steps)
    ax.set(yticks=[0.1, 0.2, 0.5], yticklabels=["0.1", "0.2", "0.5"])
    ax.minorticks_off()
    return ax


def plot_jitter(times: np.ndarray, shown: Sequence[int], jitter: Mapping[float, np.ndarray]) -> Figure:
    """Spike times (n_trials, n_spikes) [ms] of the first 25 trials around some spikes, and how far all trials scatter.

    shown: numbers of the spikes, from 0. jitter: SD of the time of each spike (n_spikes,) by noise intensity; the
    lines grow as the square root of the number of intervals and meet the ninth spike.
    """
    figure, (*windows, right) = plt.subplots(1, len(shown) + 1, figsize=(9, 3.8), width_ratios=[1] * len(shown) + [2])
    for ax, k in zip(windows, shown, strict=True):
        middle = round(times[:, k].mean())
        ax.eventplot(times[:25, k : k + 1], lineoffsets=np.arange(1, 26), color=COLOURS["V"], linelengths=0.8)
        ax.set(
            title=f"spike {k + 1}",
            xlabel="time (ms)",
            xlim=(middle - 2.5, middle + 2.5),
            xticks=[middle - 2, middle + 2],
        )
        if ax is windows[0]:
            ax.set_ylabel("trial")
        else:
            ax.set_yticks([])
    number = np.arange(1, times.shape[1] + 1)
    fine = np.linspace(1, number[-1], 200)
    for (noise, sd), colour, marker in zip(jitter.items(), ("n", "m"), ("o", "s"), strict=True):
        right.plot(number, sd, marker, color=COLOURS[colour], markersize=5)
        right.plot(fine, sd[8] * np.sqrt((fine - 1) / 8), color=COLOURS[colour], linewidth=1)
        direct_label(right, 9.5, 0.8 * sd[8], f"σ = {noise:g}", COLOURS[colour])
    right.set(xlabel="number of the spike", ylabel="SD of its time (ms)")
    return figure


def plot_tongues(
    scans: Mapping[str, np.ndarray], tongues: Mapping[str, np.ndarray], single: Mapping[str, np.ndarray]
) -> Figure:
    """Where there is no rest, a panel for each parameter: by its name the values (n,) and two currents (n, 2) each.

    single: the value from which on there is not even a single spike (1,), marked by a dotted line; or none (0,).
    """
    figure, axes = plt.subplots(1, len(scans), figsize=(9, 3.8), sharey=True)
    for ax, (name, values) in zip(axes, scans.items(), strict=True):
        low, high = tongues[name].T
        ax.fill_between(values, low, high, color="0.85")
        ax.plot(values, low, color=COLOURS["n"])
        ax.plot(values, high, color=COLOURS["n"], linestyle="--")
        ax.axhline(0.0, color="0.6", linewidth=1)
        ax.text(0.08 * values[np.isfinite(low)][-1], np.nanmean(tongues[name]), "no rest")
        for limit in single[name]:
            ax.axvline(limit, color=COLOURS["V"], linestyle=":")
            ax.text(limit, 150, "no spike ", ha="right")
        declared = HodgkinHuxley.parameters()[name]
        ax.set_xlabel(declared.label if declared.unit else declared.meaning.removeprefix("share of "))
    axes[0].set_ylabel("current (µA/cm²)")
    return figure
