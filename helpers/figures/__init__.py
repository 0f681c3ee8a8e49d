"""The figures of the series. A function draws on the axes it is given and returns them, or makes a figure and says so.

COLOURS                      the colour of each quantity, by name
plot_bursts                  Make a figure of x (thin) and z (thick) of Hindmarsh-Rose neurons from `begin` to `end`,
                             a panel each by title
plot_divergence              Make a figure of two neurons with nearly equal starts (top), and of the distance of such
                             pairs (bottom)
plot_interval_map            Make a figure of each interval between spikes against the one before, a panel for each
                             neuron by title
plot_intervals_by_drive      Make a figure of all intervals between spikes against the drive of the neuron: a
                             bifurcation diagram
plot_best_known              Make a pair plot of draws (n, n_parameters) that fits on a page: at most six parameters are
                             legible
plot_first_spikes            Plot the first spike of simulations and, over them, of the recording, aligned; as
                             `plot_predicted_voltage`
plot_marginals               Make a figure of the draws (n, n_unknowns) of each parameter over the whole width of its
                             prior
plot_predicted_sweep         Make a figure of a sweep and what is predicted for it: V, spike times, injected current,
                             and the first spike
plot_predicted_voltage       Plot simulations over time since the onset of the step, and a recording over them
plot_spike_rows              Plot when simulations spike, a row each, and above them when the recording does; as
                             `plot_predicted_voltage`
plot_calibration             Make a figure of SBC ranks, coverage and, if given, TARP, a row a posterior; grey: expected
                             of a correct one
plot_misspecification        Make a figure of each summary statistic over simulations from the prior, with the
                             observed one
plot_predictive_check        Make a figure of spike times, spike counts and summary statistics of posterior draws and
                             of the observation
plot_recovery                Make a figure of posterior mean and 2 SD against the truth, a panel for each parameter
plot_shrinkage               Plot the z-score against shrinkage, one dot for each trial and parameter
plot_statistic_information   Plot how far each statistic moves, in units of its noise, when a parameter moves by one
                             SD of its prior
drawing                      Show a drawing by its name: a picture with its description
plot_hopf_points             Make a figure of the real part (left) and the frequency (right) of a pair of eigenvalues
                             against the current
plot_oscillation             Make a figure of the range of V (top) and the rate by two spike thresholds (bottom)
                             against a held current
plot_phase_plane             Plot a plane of two states while the others are frozen
plot_phase_planes            Make a figure of the plane of V and m at moments of a trace without a current, with h and
                             n as they are then
plot_unstable_ranges         Make a figure of the currents at which no fixed point is stable, a panel for each
                             parameter by its name
plot_adaptation              Make a figure of V of several spike trains by title, and below them one over each
                             interval between spikes
plot_firing_onset            Plot an f-I curve that jumps: its silent and its firing part, and the bistable currents
                             as a grey band
plot_spike_jitter            Make a figure of spike times in the first 25 trials, and of their SD over all trials
plot_threshold               Make a figure of V with a dotted line at the `threshold` [mV] of an integrate-and-fire
                             neuron
plot_aligned_checks          Make a figure of V over time, of V aligned at the first spike, and of the intervals, a
                             row for each check
plot_lif_recordings          Make a figure of recordings, one below the other: V, and a tick for each spike
plot_recovery_by_experiment  Plot the recovery r (n_parameters,) of the parameters `names` by experiment, on an axis
                             stretched towards 1
plot_ridge                   Make a figure of draws of g_L and E_L, with the line on which E_L + I/g_L is that of the
                             truth
plot_simulator_errors        Make a figure of two errors of the original simulator: noise that depends on the time
                             step, a clipped prior
plot_training_losses         Plot the loss (n_epochs, 2) [nats] of each network by name: training thin, validation
                             thick
plot_charging                Make a figure of V of a passive membrane under a step
plot_pulse_responses         Make a figure of V after pulses of several strengths: solid where a spike follows, dotted
                             where none does
plot_refractoriness          Make a figure of the threshold of a second pulse against the time since the first
plot_steady_currents         Make a figure of each steady current and their sum against V (n,) [mV], with `rest` [mV]
                             marked
plot_strength_duration       Make a figure of threshold current and threshold charge against the duration of the pulse
plot_energy_costs            Make a figure of the lowest and highest estimate [J] of what an event costs, by name
plot_learning_rules          Make a figure of test accuracy by step for each rule (left), and of the noise of weight
                             perturbation (right)
plot_pulse_order             Make a figure of two samples of the task of `pulse_order` (left), and of test accuracy by
                             epoch (right)
plot_spike_price             Make a figure of accuracy against spikes per sample; whiskers are one SD over seeds
plot_students                Make a figure of a student's predictions (top), and of AUC and correlation of spike
                             counts by depth (bottom)
plot_surrogate               Make a figure of a spike (n,) and of its surrogate slope (n,), by V minus threshold (n,)
plot_surrogate_widths        Make a figure of how far gradients reach back (left) and of accuracy (right), by width of
                             the surrogate
plot_against_reference       Make a figure of a posterior and the reference: all of it (left), and the part around the
                             reference (right)
plot_correlations            Make a figure of correlations (n, n) between parameters, by title; the diagonal is left
                             blank
plot_posterior               Make a pair plot of posterior samples: marginals on the diagonal, pairs below
plot_samples                 Plot sets of posterior draws of two parameters, each with the ellipse that holds 95 % of
                             a normal distribution
plot_shrinkage_by_data       Make a figure of the shrinkage (n_parameters,) of every parameter, by name of the data
                             that were used
plot_simulation_budget       Make a figure of how close posteriors come to the reference with how many simulations
plot_paired_experiments      Make a figure of experiments side by side, in each the same two or three neurons
plot_prior_predictive        Make a figure of a few prior predictive traces (left) and of the spikes of many parameter
                             sets (right)
plot_repeated_runs           Make a figure of repeated runs of one neuron (left) and of a summary statistic of each
                             (right)
plot_recording               Make a figure of V of all sweeps of a recording above the injected current
direct_label                 Write the name of a line next to the point (x, y), `rise` points higher, in the line's
                             colour
use_style                    Switch matplotlib to the look of the series
plot_conductances            Plot conductances over time, each labelled at its largest value
plot_currents                Plot the ionic currents over time, outward positive, each labelled at its largest value
plot_gates                   Plot the open fraction of each gate over time, labelled at the right end
plot_injected                Plot the injected current over time
plot_integration_errors      Make a figure of the error of V [mV] against the time step [ms], the smallest step on the
                             right
plot_noise_scaling           Plot the SD of V against the time step, for noise that is scaled to the step and for
                             noise that is not
plot_overlaid                Make a figure of V of several experiments in one panel, with their names above it
plot_responses               Make a figure of V above the injected current for several experiments side by side, by
                             title
plot_spike                   Make a figure of the injected current, V, the gates and the ionic currents, one above the
                             other
plot_voltage                 Plot V over time; a tick above each spike marks when V rises through the spike threshold
plot_voltage_pair            Plot V of two neurons, or of one neuron twice, by name: the first solid, the second
                             dashed
plot_voltage_pairs           Make a figure of V of two neurons from `begin` to `end` [ms], a panel for each pair by
                             title
plot_work_precision          Plot error against cost on logarithmic axes
plot_accuracies              Make a figure of test accuracy and of epochs to a level of it: seeds, their mean and one SD
plot_activations             Make a figure of activation functions by name, side by side, for inputs z from `low` to
                             `high`
plot_codes                   Make a figure of responses to each current (left), and of what each code tells about the
                             current (right)
plot_fitted_curves           Make a figure of measured f-I curves (dots) with rate laws fitted to each (lines)
plot_input_pairs             Make a figure of the responses to pairs of inputs: by title of the pair, a column of two,
                             by name
plot_memory                  Make a figure of a neuron that one pulse switches on at `on` [ms] and another one off at
                             `off` [ms]
plot_R2                      Make a table of R² by curve (rows) and rate law (columns), the best of each row in bold:
                             darker fits better
plot_xor                     Make a figure of an f-I curve with the sums of 0, 1 and 2 active inputs (left), and of
                             responses (right)
plot_clamp_families          Make a figure of families side by side, by title: the command above the total ionic
                             current
plot_clamp_family            Plot a family of currents under voltage clamp, dark at the lowest test level, light at
                             the highest
plot_current_voltage         Make a figure of peak currents (n,) [µA/cm²] by name against test levels (n,) [mV], with
                             `E_Na` [mV] marked
plot_gate_curves             Make a figure of steady state and time constant of each gate against V
plot_sodium_families         Make a figure of sodium currents of a model and of a recorded cell at the same levels,
                             and of both I-V curves
plot_tail_currents           Make a figure of tail currents over time, and of their first values against the second
                             level
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "bursts": ["plot_bursts", "plot_divergence", "plot_interval_map", "plot_intervals_by_drive"],
        "cells": [
            "plot_best_known",
            "plot_first_spikes",
            "plot_marginals",
            "plot_predicted_sweep",
            "plot_predicted_voltage",
            "plot_spike_rows",
        ],
        "colours": ["COLOURS"],
        "diagnostics": [
            "plot_calibration",
            "plot_misspecification",
            "plot_predictive_check",
            "plot_recovery",
            "plot_shrinkage",
            "plot_statistic_information",
        ],
        "drawings": ["drawing"],
        "dynamics": [
            "plot_hopf_points",
            "plot_oscillation",
            "plot_phase_plane",
            "plot_phase_planes",
            "plot_unstable_ranges",
        ],
        "firing": ["plot_adaptation", "plot_firing_onset", "plot_spike_jitter", "plot_threshold"],
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
            "plot_surrogate",
            "plot_surrogate_widths",
        ],
        "posteriors": [
            "plot_against_reference",
            "plot_correlations",
            "plot_posterior",
            "plot_samples",
            "plot_shrinkage_by_data",
            "plot_simulation_budget",
        ],
        "predictive": [
            "plot_paired_experiments",
            "plot_prior_predictive",
            "plot_repeated_runs",
        ],
        "recordings": ["plot_recording"],
        "style": ["direct_label", "use_style"],
        "traces": [
            "plot_conductances",
            "plot_currents",
            "plot_gates",
            "plot_injected",
            "plot_integration_errors",
            "plot_noise_scaling",
            "plot_overlaid",
            "plot_responses",
            "plot_spike",
            "plot_voltage",
            "plot_voltage_pair",
            "plot_voltage_pairs",
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
