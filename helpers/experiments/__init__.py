"""What is done to a simulated neuron: clamp it, find its threshold, its rest, its bifurcations."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "comparison": ["abilities", "cost_of_a_step"],
        "current_clamp": [
            "conductances",
            "fit_strength_duration",
            "hold_gate",
            "lapicque",
            "resting_state",
            "steady_currents",
            "strength_duration",
            "threshold",
            "threshold_after_spike",
            "weiss",
        ],
        "dynamics": [
            "currents_without_rest",
            "eigenvalues",
            "fixed_points",
            "holding_current",
            "hopf_points",
            "jacobian",
            "settled",
        ],
        "exercises": ["UnknownPair", "held_current"],
        "voltage_clamp": ["Command", "clamp", "peak_currents", "step_command"],
    },
)
