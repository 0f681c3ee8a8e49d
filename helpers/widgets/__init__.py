"""Explorers: sliders above a picture, and the live bench, which the browser itself computes.

live_bench                           a neuron that the browser integrates while a slider is dragged
explore_clamp, clamp_step            voltage clamp of the squid axon: currents and their peaks
explore_phase_plane, phase_plane_at  V and m at one moment of a spike, with h and n frozen
explore_integrators, run_integrator  the error of an integrator and its step
explore_conductances, attempt        find the conductances behind a trace by hand
explore_posterior                    choose a neuron and see what its trace reveals
explore_hand_fit, hand_fit           fit an activation function to an f-I curve by hand
explore_surrogate, surrogate_at      the width of a surrogate gradient and how far back it reaches
Explorer, Slider, Dropdown, canvas   for explorers of your own
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "conductances": ["attempt", "explore_conductances"],
        "controls": ["Dropdown", "Slider"],
        "explorer": ["Explorer", "canvas"],
        "integrators": ["explore_integrators", "run_integrator"],
        "live.bench": ["live_bench"],
        "phase_plane": ["explore_phase_plane", "phase_plane_at"],
        "posterior": ["explore_posterior"],
        "rate_law": ["explore_hand_fit", "hand_fit"],
        "surrogate_gradient": ["explore_surrogate", "surrogate_at"],
        "voltage_clamp": ["clamp_step", "explore_clamp"],
    },
)
