"""Recordings made to order, for tests of several modules: a passive cell at a step, spikes, an opened file, files."""

import datetime
from pathlib import Path

import numpy as np
import pynwb
from pynwb.icephys import CurrentClampSeries, CurrentClampStimulusSeries

from helpers.recordings.contents import Contents, FileSweep, Signal
from helpers.simulation.trace import Trace

LEVELS = np.arange(-100.0, 301.0, 25.0)  # pA, the steps of the two published cells


def step_trace(dt=0.05, duration=300.0, on=50.0, off=250.0, level=-50.0, R=100.0, tau=20.0, rest=-65.0):
    """A passive cell, R [MΩ] and tau [ms], at a step of `level` [pA]: its closed form."""
    t = dt * np.arange(round(duration / dt))
    full = R * level * 1e-3
    charge = full * (1 - np.exp(-np.clip(t - on, 0, off - on) / tau))
    V = rest + np.where(t < off, charge, charge * np.exp(-np.clip(t - off, 0, None) / tau))
    I = np.where((t >= on - 1e-9) & (t < off - 1e-9), level, 0.0)
    return Trace(t, {"V": V}, I, on, off, I_unit="pA")


def csv_file(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "cell.csv"
    path.write_bytes(text.encode(encoding))
    return path


def nwb_file(path, sweeps, *, table=False, electrodes=1, kind=CurrentClampSeries):
    """Write an NWB file; each sweep is a dict of two dicts of arguments, "V" and "I" (either may be absent).

    table: whether sweeps have a row in the table of intracellular recordings, or the numbers of those that have.
    """
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    nwb = pynwb.NWBFile(session_description="test", identifier="test", session_start_time=start)
    device = nwb.create_device(name="amplifier")
    pipettes = [
        nwb.create_icephys_electrode(name=f"pipette {k}", description="glass", device=device) for k in range(electrodes)
    ]
    for k, sweep in enumerate(sweeps):
        made = {}
        for key, series, add in (
            ("V", kind, nwb.add_acquisition),
            ("I", CurrentClampStimulusSeries, nwb.add_stimulus),
        ):
            if key in sweep:
                settings = {"name": f"{key}{k}", "gain": 1.0, **sweep[key]}
                if "timestamps" not in settings:
                    settings = {"rate": 10_000.0, "starting_time": float(k), **settings}
                settings["electrode"] = pipettes[settings.get("electrode", 0)]
                made[key] = series(**settings)
                add(made[key])
        if k in table if isinstance(table, list) else table:
            nwb.add_intracellular_recording(
                electrode=pipettes[0], response=made["V"], **({"stimulus": made["I"]} if "I" in made else {})
            )
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(nwb, cache_spec=False)  # the schema, which takes long
    return path


def spiking(t, times, height=80.0):
    """Spikes of 1 ms on top of a potential, `height` [mV] high, at `times` [ms]."""
    return height * sum((np.exp(-(((t - time) / 0.4) ** 2)) for time in times), np.zeros_like(t))


def opened(traces, *, names=(), alike=None, damaged=(), command="Cmd 0", warnings=()):
    """What an opened file of these traces holds; sweeps that are `damaged` cannot be read. command: None for none."""

    def sweep(k):
        def samples():
            if k in damaged:
                raise ValueError(f"made.abf: sweep {k} is damaged")
            return traces[k].V

        recorded = (Signal("IN 0", "mV", 0, samples),)
        commanded = () if command is None else (Signal(command, "pA", 0, lambda: traces[k].I),)
        return FileSweep(traces[k].t, recorded, commanded, warnings=warnings)

    return Contents(Path("made.abf"), "made to order", len(traces), sweep, alike, tuple(names))
