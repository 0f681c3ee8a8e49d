"""What a neuron is: its parameters, its equations, and the five neurons of the series.

HodgkinHuxley            the squid giant axon
Pospischil               a cortical neuron with an M current
CorticalNeuron           the same with what recorded cells ask for: clocks, slow inactivation, I_h
LeakyIntegrateAndFire    a membrane that is reset at a threshold
Izhikevich               two equations that imitate many firing patterns
HindmarshRose            bursting and chaos in three equations without units
Neuron                   base of a neuron of your own; see docs/your_own_neuron.md
parameter, Parameter     declare a parameter; what is known about one
gate, current, state     mark the functions that are its equations
derived, event           mark a constant computed from parameters, and spike and reset
exp, linoid, sin, sqrt, where
                         what equations may call
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cortical": ["CorticalNeuron"],
        "equations": ["Neuron", "current", "derived", "event", "gate", "state"],
        "functions": ["exp", "linoid", "sin", "sqrt", "where"],
        "models": ["HindmarshRose", "HodgkinHuxley", "Izhikevich", "LeakyIntegrateAndFire", "Pospischil"],
        "parameters": ["Parameter", "parameter"],
    },
)
