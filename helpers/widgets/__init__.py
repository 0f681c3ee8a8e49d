"""Explorers: sliders above a picture, and the live bench, which the browser itself computes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "bench_explorers": ["explore_clamp", "explore_integrators", "explore_phase_plane"],
        "benches": ["clamp_bench", "integrator_bench", "phase_plane_bench"],
        "conductances": ["attempt", "explore_conductances"],
        "live.bench": ["live_bench"],
        "posterior": ["explore_posterior"],
        "units": ["explore_hand_fit", "explore_surrogate", "hand_fit", "surrogate"],
    },
)
