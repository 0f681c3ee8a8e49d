"""Reference posteriors computed without neural networks, each for one observation.

common                the type of a simulator: simulate(theta, seed) gives statistics
rejection_abc         rejection ABC with regression adjustment
local_gaussian        normal statistics, linear in the parameters
region                where the posterior lies, roughly
synthetic_likelihood  repeated runs of many parameter sets, and a smooth likelihood, on a grid
local_abc             very many simulations around the posterior, of which the nearest are kept

diagnostics.agreement compares the last two, which share no assumption.
"""
