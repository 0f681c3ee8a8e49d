"""From recordings to parameters: priors, posteriors, references, and whether a posterior is right."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cache": ["fast", "load_or_train"],
        "diagnostics.c2st": ["c2st"],
        "diagnostics.calibration": ["coverage", "local_test", "sbc", "tarp"],
        "diagnostics.information": ["information"],
        "diagnostics.misspecification": ["misspecification"],
        "diagnostics.predictive": ["predictive_check"],
        "diagnostics.recovery": ["dead_parameters", "recovery", "shrinkage"],
        "diagnostics.trials": ["run_trials"],
        "embedding": ["Convolutional"],
        "lif.features": ["feature_names", "features"],
        "lif.likelihood": ["exact_recovery"],
        "lif.predictive": ["lif_check"],
        "lif.problem": ["Experiment", "FIGURES", "MENDED", "ORIGINAL", "TWO_LEVELS", "clipped_draws"],
        "npe": ["Posterior", "Prior", "box_prior", "train_npe", "uniform"],
        "reference.local_gaussian": ["local_gaussian"],
        "reference.rejection_abc": ["rejection_abc"],
        "reference.synthetic_likelihood": ["synthetic_likelihood"],
        "truncated_rounds": ["truncated_rounds"],
    },
)
