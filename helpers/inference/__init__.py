"""From recordings to parameters: priors, posteriors, references, and whether a posterior is right.

load_or_train            Return the network of a recipe: from a file if there is one, otherwise trained now and
                         cached
Recipe                   Everything that a trained network depends on
RECIPES                  the networks that come with the series, by name
c2st                     Share of samples that a classifier assigns to the right set (five-fold cross-validation by
                         sbi)
coverage                 Expected coverage of joint regions and of the central interval of each parameter
local_test               Local classifier two-sample test at one observation, by sbi
local_calibration        Simulate neurons like those that the posterior names at `x_o`, infer them again, and test the
                         ranks
sbc                      Simulation-based calibration of each parameter, by sbi
tarp                     Tests of accuracy with random points, by sbi; the points are drawn from the prior
parameter_combinations   Find the combinations of parameters that a posterior knows best and least
conditional_correlations Correlation of each pair of parameters in the posterior while all others are held at its
                         densest draw, by sbi
statistic_information    What each statistic tells about each parameter, from the Fisher information of a local
                         Gaussian posterior
misspecification         Compare an observation with simulations from the whole prior, by a learned density and by
                         sbi's MMD test
predictive_check         Simulate a neuron with parameters from the posterior and compare the traces with the observed
                         one
recovery                 How well posterior means recover the truths
shrinkage                How much narrower the posterior is than the prior, and how far the truth lies from its mean
unidentified_parameters  Compare the posterior of each parameter with its prior
run_trials               Draw from the posterior of each of many observations whose truth is known
Convolutional            The architecture of a convolutional network over time
exact_recovery           What the exact posterior would recover: no posterior's mean is nearer to the truth on average
lif_check                Repeat an experiment with parameters from the posterior and compare with the observed
                         recording
clipped_draws            Draw parameter sets as the original does: tau_m and g_L clipped to their bounds, not
                         truncated
CORRECTED                the published experiment with its faults corrected
lif_prior                Prior over V_th, tau_m, g_L, V_reset, V_init, E_L, in which V_reset < V_init < E_L, by 0.5 mV
                         at least
LifExperiment            How the neuron is driven and recorded
ORIGINAL                 the published experiment
PUBLISHED_PRIOR          the prior that was published
TWO_LEVELS               the experiment with two levels of current
WIDE_PRIOR               a prior in which the data decide
lif_statistic_names      Names of the columns of `lif_statistics`
lif_statistics           Summary statistics of each sweep of recordings
uniform                  Make a uniform distribution from `low` to `high`; log: uniform in log(value)
normal                   Make a normal distribution, truncated to `low` and `high`; log: log-normal with median `mean`
prior_of                 Make a prior over parameters of a neuron: any distributions, dependent or correlated
train_npe                Train neural networks to give the posterior of parameters for any statistics: NPE, formerly
                         SNPE
Posterior                A trained posterior: for any observation, samples and log-probabilities of the parameters
box_prior                Make a uniform prior over parameters of a neuron
Prior                    A prior over named parameters, for NumPy (`draw`) and, as a torch distribution, for sbi
                         (`sample`, `log_prob`)
local_gaussian           Posterior from repeated simulations at and around one parameter set: inverse of the Fisher
                         information
rejection_abc            Keep the simulations nearest to the observation, and correct them by a local linear
                         regression
synthetic_likelihood     Posterior on a grid, from the scatter of the statistics in repeated runs of parameter sets
                         around it
find_region              Find where the posterior lies by rejection ABC, first in the prior, then around what the last
                         round accepted
local_abc                Posterior by rejection ABC with a quadratic regression, from simulations drawn around a rough
                         posterior
reference                Compute the posterior at `x_o` twice, by synthetic likelihood and by local rejection ABC, and
                         compare the two
ReferenceWarning         Two references of different kinds disagree: nothing may be measured against either
sharpened                Sharpen the answer of an amortised posterior at `x_o`, where the data determine every
                         parameter
NeuronSimulator          A simulator for inference: parameters and a seed in, summary statistics out
CombinedSimulator        Several experiments with the same neuron as one simulator
truncated_rounds         Infer the posterior at `x_o` in rounds, each in a smaller box around it
importance_posterior     Infer the posterior at `x_o`, known up to `tolerance`, from weighted simulations
ImportancePosterior      All simulations with their weights
InferenceWarning         A posterior, or what it was made from, is not to be trusted without a closer look
EdgeMassWarning          More than half of the draws lie in the outermost 0.1 % of the prior of a parameter
ExtrapolationWarning     An observation lies outside all simulations that a posterior was trained on
ConflictingObservationsWarning Observations that should be of the same neuron have posteriors that exclude each other
FewEffectiveDrawsWarning Few draws carry the weight of the posterior given several observations
FewEffectiveSimulationsWarning Few simulations carry the weight of a posterior by importance sampling
ParametersOnBoundsWarning Simulations with a parameter exactly on a bound of the prior were left out of the training
PredictiveCheckWarning   Simulations with parameters from the posterior differ from the observation
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cache": ["load_or_train"],
        "diagnostics.agreement": ["reference"],
        "diagnostics.c2st": ["c2st"],
        "diagnostics.calibration": ["coverage", "local_test", "sbc", "tarp"],
        "diagnostics.combinations": ["parameter_combinations"],
        "diagnostics.correlations": ["conditional_correlations"],
        "diagnostics.local_calibration": ["local_calibration"],
        "diagnostics.statistic_information": ["statistic_information"],
        "diagnostics.misspecification": ["misspecification"],
        "diagnostics.predictive": ["predictive_check"],
        "diagnostics.recovery": ["recovery", "shrinkage", "unidentified_parameters"],
        "diagnostics.trials": ["run_trials"],
        "embedding": ["Convolutional"],
        "importance": ["ImportancePosterior", "importance_posterior"],
        "lif.likelihood": ["exact_recovery"],
        "lif.predictive": ["lif_check"],
        "lif.problem": [
            "CORRECTED",
            "LifExperiment",
            "ORIGINAL",
            "PUBLISHED_PRIOR",
            "TWO_LEVELS",
            "WIDE_PRIOR",
            "clipped_draws",
            "lif_prior",
        ],
        "lif.statistics": ["lif_statistic_names", "lif_statistics"],
        "marginals": ["normal", "uniform"],
        "npe": ["train_npe"],
        "posterior": ["Posterior"],
        "priors": ["Prior", "box_prior", "prior_of"],
        "references.local_abc": ["local_abc"],
        "references.local_gaussian": ["local_gaussian"],
        "references.region": ["find_region"],
        "references.rejection_abc": ["rejection_abc"],
        "references.synthetic_likelihood": ["synthetic_likelihood"],
        "sharpening": ["sharpened"],
        "simulator": ["CombinedSimulator", "NeuronSimulator"],
        "recipe": ["Recipe"],
        "rounds": ["truncated_rounds"],
        "shipped": ["RECIPES"],
        "warning_classes": [
            "ConflictingObservationsWarning",
            "EdgeMassWarning",
            "FewEffectiveDrawsWarning",
            "FewEffectiveSimulationsWarning",
            "ExtrapolationWarning",
            "InferenceWarning",
            "ParametersOnBoundsWarning",
            "PredictiveCheckWarning",
            "ReferenceWarning",
        ],
    },
)
