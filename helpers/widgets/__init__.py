"""Explorers: sliders above a picture, and the live bench, which the browser itself computes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "conductances": ["attempt", "explore_conductances"],
        "integrators": ["explore_integrators", "run_integrator"],
        "live.bench": ["live_bench"],
        "phase_plane": ["explore_phase_plane", "phase_plane_at"],
        "posterior": ["explore_posterior"],
        "rate_law": ["explore_hand_fit", "hand_fit"],
        "surrogate_gradient": ["explore_surrogate", "surrogate_at"],
        "voltage_clamp": ["clamp_step", "explore_clamp"],
    },
)
