"""Reference posteriors computed without neural networks, each for one observation.

common                the type of a simulator: simulate(theta, seed) gives statistics
rejection_abc         rejection ABC with regression adjustment
local_gaussian        normal statistics, linear in the parameters
synthetic_likelihood  a smooth surface and a noise model, on a grid
"""
