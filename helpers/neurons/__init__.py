"""What a neuron is: its parameters, its equations, and the five neurons of the series.

HodgkinHuxley                          the squid giant axon
Pospischil                             a cortical neuron that adapts
LeakyIntegrateAndFire, Izhikevich      a spike is a threshold and a reset
HindmarshRose                          spiking, bursting and chaos in three equations
Neuron, parameter                      base of a neuron of your own, and the declaration of its parameters
gate, current, state, derived, event   the marks of its equations
exp, linoid, sin, sqrt, where          the functions that equations may use
Parameter                              what is known about a parameter
"""

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
