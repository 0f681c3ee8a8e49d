"""From recordings to parameters: priors, posteriors, references, and whether a posterior is right."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cache": ["fast_mode", "load_or_train"],
        "diagnostics.c2st": ["c2st"],
        "diagnostics.calibration": ["coverage", "local_test", "sbc", "tarp"],
        "diagnostics.statistic_information": ["statistic_information"],
        "diagnostics.misspecification": ["misspecification"],
        "diagnostics.predictive": ["predictive_check"],
        "diagnostics.recovery": ["recovery", "shrinkage", "unidentified_parameters"],
        "diagnostics.trials": ["run_trials"],
        "embedding": ["Convolutional"],
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
        "marginals": ["uniform"],
        "npe": ["train_npe"],
        "posterior": ["Posterior"],
        "priors": ["Prior", "box_prior"],
        "reference.local_gaussian": ["local_gaussian"],
        "reference.rejection_abc": ["rejection_abc"],
        "reference.synthetic_likelihood": ["synthetic_likelihood"],
        "simulator": ["NeuronSimulator"],
        "truncated_rounds": ["truncated_rounds"],
    },
)
