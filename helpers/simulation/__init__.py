"""Stimuli, simulators and summary statistics: from a neuron and a current to a trace, or to thousands of them.

simulate                             one neuron, as a trace
simulate_many, simulate_traces       thousands of parameter sets, as summary statistics or as V
simulate_network                     coupled neurons, a trace each
UnstableIntegration                  raised by all of them when a method diverges
GapJunction, ChemicalSynapse         what couples neurons
excitatory, inhibitory               a synapse with published constants
METHODS, TABLEAUS                    names of the integrators; coefficients of the Runge-Kutta methods
exponential_euler_step               one step in plain NumPy
runge_kutta_step                     one step of any Runge-Kutta method in plain NumPy
slopes                               the right-hand side of a neuron's equations
step, ramp                           a constant current, one that grows
pulse_pair, pulse_train              short pulses, two or many
sine, chirp                          an oscillation at one frequency, at a rising one
ornstein_uhlenbeck, recorded         noise; the current of a recording
Stimulus, Waveform                   base class of the stimuli; one given by its samples
Trace                                states, currents and spikes over time
find_spikes                          when V spikes: rises, peaks that stand out, and returns
summary_statistics                   the seven statistics of sbi's tutorial
spike_count, firing_rate             statistics of the spikes alone
spike_timing, statistics_and_timing  five features of when spikes come; the same beside the seven statistics
features, FEATURES                   a choice of what electrophysiologists measure; all of it, as a table
measure_features, measure_spikes     the same of one trace by name, and of each of its spikes
summary, Summary                     make one of your own; what it makes
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "batch": ["simulate_many", "simulate_traces"],
        "connections": ["ChemicalSynapse", "GapJunction", "excitatory", "inhibitory"],
        "electrophysiology": ["FEATURES", "features", "measure_features", "measure_spikes"],
        "engine": ["UnstableIntegration"],
        "integrators": ["METHODS", "TABLEAUS", "exponential_euler_step", "runge_kutta_step", "slopes"],
        "network": ["simulate_network"],
        "single": ["simulate"],
        "stimuli": [
            "Stimulus",
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
        "spikes": ["find_spikes"],
        "summaries": [
            "Summary",
            "firing_rate",
            "spike_count",
            "spike_timing",
            "statistics_and_timing",
            "summary",
            "summary_statistics",
        ],
        "trace": ["Trace"],
    },
)
