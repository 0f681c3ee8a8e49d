"""Experiments on a simulated neuron: voltage clamp, thresholds, firing, and the analysis of its dynamics.

clamp, Command, step_command         voltage clamp, its commands, a step command
peak_currents                        current-voltage relation
steady_currents, conductances        ionic currents at steady state; conductances during a trace
freeze_gate                          the same neuron with one gate fixed
find_threshold                       smallest strength that fires, by bisection
strength_duration                    threshold for pulses of several widths
weiss, lapicque                      laws of strength and duration
fit_strength_duration                rheobase and chronaxie
refractory_threshold                 threshold after a spike, relative to rest
steady_states                        all other states at a given V
fixed_points, fixed_point_current    fixed points at a given current; the current at a given V
resting_state                        the lowest fixed point without a current
jacobian, eigenvalues                stability of a fixed point
hopf_points, unstable_range          where stability is lost to an oscillation
nullclines, separatrix               a plane of two states
measure_f_I                          steady firing rate at constant currents
firing_properties                    lowest rate, adaptation, bursts, rebound
operations_per_step                  arithmetic and exponentials per time step
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "comparison": ["firing_properties", "operations_per_step"],
        "current_clamp": [
            "conductances",
            "find_threshold",
            "fit_strength_duration",
            "freeze_gate",
            "lapicque",
            "refractory_threshold",
            "steady_currents",
            "strength_duration",
            "weiss",
        ],
        "dynamics": [
            "eigenvalues",
            "fixed_point_current",
            "fixed_points",
            "hopf_points",
            "jacobian",
            "nullclines",
            "resting_state",
            "separatrix",
            "steady_states",
            "unstable_range",
        ],
        "f_I": ["measure_f_I"],
        "voltage_clamp": ["Command", "clamp", "peak_currents", "step_command"],
    },
)
