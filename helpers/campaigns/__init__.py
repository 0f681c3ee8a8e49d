"""Simulations by the million, on disk and on Dask. Nothing imports this room.

Campaign     What is simulated, and the folder that stores it
Simulations  The simulations in the folder of a campaign, 0 to `number` - 1, as its manifest campaign.json describes
             them
train_on     Train the posterior that `train_npe` would give for all of a campaign
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "campaign": ["Campaign"],
        "simulations": ["Simulations"],
        "training": ["train_on"],
    },
)
