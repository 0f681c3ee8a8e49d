"""What generated code is written for: one neuron, lanes, networks, and JavaScript."""
