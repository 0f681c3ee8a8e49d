"""Simulate spiking neurons, infer their parameters from recordings, compare them with artificial ones.

    from helpers import HodgkinHuxley, simulate, step

    trace = simulate(HodgkinHuxley(), step(10.0, start=5.0, stop=45.0), duration=50.0)
    trace.spike_times, trace.V, trace.m, trace.I_Na

These are the everyday names. All others are in the rooms: `from helpers import experiments, figures, inference`, then
`experiments.resting_state(...)`. Names and rooms are imported when they are first used, so that simulating needs
neither torch nor matplotlib.

    neurons       what a neuron is: parameters, equations, five models
    simulation    stimuli, simulators, summary statistics
    experiments   voltage clamp, thresholds, f-I curves, dynamics
    recordings    files of real cells, and published ones
    inference     priors, posteriors, references, diagnostics
    artificial    rate laws, networks that learn, networks that spike
    figures       everything that is drawn
    exercises     checks of the exercises, with values of one's own for every student
    widgets       explorers with sliders, and the live bench
    notebook      what a notebook switches on in its first cell
    campaigns     simulations by the million
    cells         from the recording of a cell to a posterior, a verdict and a report
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "artificial",
        "campaigns",
        "cells",
        "exercises",
        "experiments",
        "figures",
        "inference",
        "neurons",
        "notebook",
        "recordings",
        "simulation",
        "widgets",
    ],
    submod_attrs={
        "checks": ["check"],
        "neurons.equations": ["Neuron"],
        "neurons.models": ["HindmarshRose", "HodgkinHuxley", "Izhikevich", "LeakyIntegrateAndFire", "Pospischil"],
        "simulation.connections": ["GapJunction", "excitatory", "inhibitory"],
        "simulation.electrophysiology": ["features", "measure_features"],
        "simulation.network": ["simulate_network"],
        "simulation.single": ["simulate"],
        "simulation.batch": ["simulate_many", "simulate_traces"],
        "simulation.stimuli": [
            "Waveform",
            "chirp",
            "ornstein_uhlenbeck",
            "pulse_pair",
            "pulse_train",
            "ramp",
            "recorded",
            "sine",
            "step",
        ],
        "simulation.summaries": ["summary", "summary_statistics"],
        "simulation.trace": ["Trace"],
    },
)
