"""What a neuron is: its parameters, its equations, and the five neurons of the series."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "equations": ["Neuron", "current", "derived", "event", "gate", "state"],
        "functions": ["exp", "linoid", "sin", "sqrt", "where"],
        "models": ["HindmarshRose", "HodgkinHuxley", "Izhikevich", "LeakyIntegrateAndFire", "Pospischil"],
        "parameters": ["Parameter", "parameter"],
    },
)
