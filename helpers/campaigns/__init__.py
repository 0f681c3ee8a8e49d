"""Simulations by the million, on disk and on Dask. Nothing imports this room."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "campaign": ["Campaign"],
        "simulations": ["Simulations"],
        "training": ["train_on"],
    },
)
