"""Artificial neurons: rate laws, activation functions, networks that learn and networks that spike.

- rate_laws: the f-I curve of the LIF neuron, and activation functions fitted to measured f-I curves
- activations: measured curves as activation functions in a network; separability: what one unit can compute
- tasks, training: digits and the order of pulses; the same training from several seeds
- learning_rules: the gradient, random feedback, and trial and error
- spiking: a classifier around a spiking layer, and what its spikes cost
- decoding: what spike count, latency and interval tell about a stimulus
- distillation: a network that learns to predict the spikes of a neuron
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "activations": ["as_activation", "dead_units", "hidden_layer", "silent_fraction"],
        "decoding": ["CODES", "decode", "mutual_information", "simulate_responses"],
        "distillation": ["Student", "evaluate_student", "fit_student", "make_spike_dataset", "spike_probability"],
        "learning_rules": [
            "backprop",
            "gradient_angle",
            "initial_weights",
            "perturbation_noise",
            "train_by_rule",
            "weight_perturbation",
        ],
        "rate_laws": ["RATE_LAWS", "fit_rate_law", "lif_rate", "lif_rheobase"],
        "separability": ["band_separable", "separable"],
        "spiking": ["SpikingClassifier", "spike_cost", "sweep_spike_price"],
        "tasks": ["digits", "pulse_order"],
        "training": ["compare", "train"],
    },
)
