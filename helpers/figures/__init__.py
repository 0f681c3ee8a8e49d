"""The figures of the series. A function draws on the axes it is given and returns them, or makes a figure and says so.

- style: `use_style` and `direct_label`, the look of all figures; colours: `COLOURS` of gates and currents
- traces: V, gates and currents over time; the accuracy of integrators
- membrane: charging, rest, thresholds; voltage_clamp: families, current-voltage curves, tail currents, gates
- firing: onset of firing, jitter; dynamics: phase plane, Hopf points, oscillations
- posteriors: pair plots, comparison with a reference; predictive: traces from prior and posterior
- diagnostics: recovery, calibration, predictive checks, misspecification
- lif: the integrate-and-fire neuron of notebook 2
- units: artificial units, neural codes; networks: spiking networks, students, learning rules
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "colours": ["COLOURS"],
        "diagnostics": [
            "plot_calibration",
            "plot_misspecification",
            "plot_predictive_check",
            "plot_recovery",
            "plot_shrinkage",
            "plot_statistic_information",
        ],
        "dynamics": ["plot_hopf_points", "plot_oscillation", "plot_phase_plane", "plot_unstable_ranges"],
        "firing": ["plot_firing_onset", "plot_spike_jitter"],
        "lif": [
            "plot_aligned_checks",
            "plot_lif_recordings",
            "plot_recovery_by_experiment",
            "plot_ridge",
            "plot_simulator_errors",
            "plot_training_losses",
        ],
        "membrane": [
            "plot_charging",
            "plot_pulse_responses",
            "plot_refractoriness",
            "plot_steady_currents",
            "plot_strength_duration",
        ],
        "networks": [
            "plot_energy_costs",
            "plot_learning_rules",
            "plot_pulse_order",
            "plot_spike_price",
            "plot_students",
            "plot_surrogate_widths",
        ],
        "posteriors": [
            "plot_against_reference",
            "plot_correlations",
            "plot_posterior",
            "plot_rounds",
            "plot_samples",
            "plot_shrinkage_by_data",
            "plot_simulation_budget",
        ],
        "predictive": [
            "plot_paired_experiments",
            "plot_predictive_traces",
            "plot_prior_predictive",
            "plot_repeated_runs",
            "plot_spike_close_ups",
        ],
        "style": ["direct_label", "use_style"],
        "traces": [
            "plot_conductances",
            "plot_currents",
            "plot_gates",
            "plot_injected",
            "plot_noise_scaling",
            "plot_responses",
            "plot_spike",
            "plot_voltage",
            "plot_voltage_pair",
            "plot_work_precision",
        ],
        "units": [
            "plot_R2",
            "plot_accuracies",
            "plot_activations",
            "plot_codes",
            "plot_fitted_curves",
            "plot_input_pairs",
            "plot_memory",
            "plot_xor",
        ],
        "voltage_clamp": [
            "plot_clamp_families",
            "plot_clamp_family",
            "plot_current_voltage",
            "plot_gate_curves",
            "plot_sodium_families",
            "plot_tail_currents",
        ],
    },
)
