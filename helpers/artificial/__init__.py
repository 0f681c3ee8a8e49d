"""Artificial neurons: rate laws, activation functions, networks that learn and networks that spike."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "activations": ["as_activation", "dead_units", "hidden_layer", "silence"],
        "decoding": ["CODES", "confusion", "decode", "information", "respond"],
        "distillation": ["Student", "learn", "mark", "probabilities", "teach"],
        "learning_rules": [
            "angle",
            "backprop",
            "learn_by",
            "perturbation_noise",
            "start_weights",
            "weight_perturbation",
        ],
        "rate_laws": ["RATE_LAWS", "fit_activation", "lif_rate", "lif_rheobase"],
        "separability": ["band_separable", "separable"],
        "spiking": ["SpikingClassifier", "price_of_spikes", "spike_cost"],
        "tasks": ["digits", "which_first"],
        "training": ["compare", "train"],
    },
)
