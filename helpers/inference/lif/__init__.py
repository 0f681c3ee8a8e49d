"""Six parameters of a leaky integrate-and-fire neuron behind a noisy recording.

problem     the neuron, its priors, and how it is driven and recorded
statistics  summary statistics of a recording
simulator   both as a simulator for inference
likelihood  the likelihood, nearly exact, and what the exact posterior would recover
predictive  posterior predictive checks
"""
