"""Trained networks: those that come with the series (networks/), and those that were trained here and cached."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from helpers.cache import cache_folder

from .posterior import Posterior
from .recipe import Recipe
from .simulator import differences

__all__ = ["SHIPPED", "load_or_train"]

SHIPPED = Path(__file__).with_name("networks")


def load_or_train(recipe: Recipe, *, retrain: bool = False, progress: bool = True) -> Posterior:
    """Return the network of a recipe: from a file if there is one, otherwise trained now and cached.

    A file belongs to a recipe if neuron, stimulus, prior, statistics, simulations, settings and seed are the same; a
    line says which of them differs. An interrupted training is not cached. Of several processes that ask for the same
    network at the same time, one trains and the others wait for it.

    Parameters
    ----------
    recipe
        What the network is made from.
    retrain
        Whether to train it here whatever files there are. They stay as they are.
    progress
        Whether to show a bar.

    Returns
    -------
    Posterior
        Its attribute `recipe` says what it was made from.
    """
    if retrain:
        return recipe.train(progress=progress)
    if (shipped := _read(SHIPPED / f"{recipe.name}.npz", recipe)) is not None:
        return shipped
    path = cache_folder("networks") / f"{recipe.name}-{recipe.key}.npz"
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=1.0)
    except Timeout:
        print(f"{recipe.name}: another process is training this network; waiting for it")
        lock.acquire()
    with lock:
        if (cached := _read(path, recipe)) is not None:
            return cached
        posterior = recipe.train(progress=progress)
        if not posterior.interrupted:
            posterior.save(path)
        return posterior


def _read(path: Path, recipe: Recipe) -> Posterior | None:
    """Return the posterior in a file; None if it is missing, damaged or made from another recipe, and say so."""
    try:
        posterior = Posterior.load(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        print(f"{error}; training a new one")
        return None
    if found := ", ".join(differences(posterior.recipe or {}, recipe.as_data())):
        print(f"{path.name} was made from another recipe ({found}); training a new one")
        return None
    return posterior
