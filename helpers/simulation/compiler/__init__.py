"""From the equations of a neuron to machine code, or to JavaScript: source, optimise, spec, targets, codegen, cache."""
