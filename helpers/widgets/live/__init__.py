"""The live bench: the browser integrates the neuron itself."""
