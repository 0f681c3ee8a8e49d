"""Artificial neurons: rate laws, activation functions, networks that learn and networks that spike.

as_activation        Convert an f-I curve to a dimensionless activation function that passes through (1, 1)
hidden_layer         Build a network with one hidden layer of units with this activation
silent_fraction      Compute the fraction of outputs, over hidden units and samples of `x`, that are 0 with a slope of
                     0
CODES                the neural codes that can be read off a response
decode               Guess the stimulus from features of the responses by k nearest neighbours, with five-fold cross-
                     validation
decode_codes         Guess the stimulus from each of `CODES` in the first `window` [ms] of the responses, as `decode`
                     does
mutual_information   Compute the mutual information [bit] of a table of counts (n_stimuli, n_guesses)
simulate_responses   Simulate the responses of a noisy neuron to step currents that begin after 50 ms without a
                     current
evaluate_student     Compare the student's predictions with spikes that it was not trained on
fit_student          Train a student in place: Adam on the cross-entropy of each ms, with a one-cycle learning rate
make_spike_dataset   Simulate a neuron under coloured noise, a current that is constant within each ms
spike_probability    Compute the student's probability of a spike in each ms (n,) for a current (n,) [µA/cm²]
Student              A causal convolutional network: current (n, steps) [µA/cm²] to log-odds of a spike (n, steps)
backprop             Compute the gradient of the cross-entropy of classes y (n,) for inputs x (n, inputs)
gradient_angle       Compute the angle between two gradients [degrees]: 0 is the same direction, 90 unrelated
initial_weights      Draw random weights whose sums have a variance of about 1 for inputs of about 1
perturbation_noise   Compute the variance of weight perturbation, summed over all weights, in units of |gradient|²
train_by_rule        Train a network by plain descent along what a rule says
weight_perturbation  Estimate the gradient from two losses: (change of the loss / size) · (the random change itself)
fit_rate_law         Fit a rate law to an f-I curve by least squares
fit_rate_laws        Fit each of `RATE_LAWS` to an f-I curve, as `fit_rate_law` does; return the fits by name
lif_rate             Compute the firing rate [Hz] of the noiseless LIF neuron at constant currents, in closed form
lif_rheobase         Compute the smallest current [pA] at which the LIF neuron fires repeatedly: g_L·(V_th - E_L)
RATE_LAWS            the laws that can be fitted, by name
spike_cost           Compute the cost of one spike, evoked by 0.5 ms of 60 µA/cm²
SpikingClassifier    A layer of spiking units, and one weighted sum of their spike counts per class
sweep_spike_price    Train networks with each price on a spike, from each seed
digits               Load the 1,797 handwritten digits of scikit-learn, 8 × 8 pixels from 0 to 1; 30 % are for testing
pulse_order          Make the task of telling which of two inputs has its pulse first: class 0 if input 0, else class
                     1
compare              Train several kinds of networks from the same seeds on the same samples in the same order
train                Train a network in place
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "activations": ["as_activation", "hidden_layer", "silent_fraction"],
        "decoding": ["CODES", "decode", "decode_codes", "mutual_information", "simulate_responses"],
        "distillation": ["Student", "evaluate_student", "fit_student", "make_spike_dataset", "spike_probability"],
        "learning_rules": [
            "backprop",
            "gradient_angle",
            "initial_weights",
            "perturbation_noise",
            "train_by_rule",
            "weight_perturbation",
        ],
        "rate_laws": ["RATE_LAWS", "fit_rate_law", "fit_rate_laws", "lif_rate", "lif_rheobase"],
        "spiking": ["SpikingClassifier", "spike_cost", "sweep_spike_price"],
        "tasks": ["digits", "pulse_order"],
        "training": ["compare", "train"],
    },
)
