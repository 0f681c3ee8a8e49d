"""Stimuli, simulators and summary statistics: from a neuron and a current to a trace, or to thousands of them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "batch": ["simulate_many", "simulate_traces"],
        "connections": ["ChemicalSynapse", "GapJunction", "excitatory", "inhibitory"],
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
        "summaries": ["Summary", "firing_rate", "spike_count", "summary", "summary_statistics"],
        "trace": ["Trace"],
    },
)
