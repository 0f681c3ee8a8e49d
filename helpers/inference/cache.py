"""Trained networks: those that come with the series (networks/), and those that were trained here and cached."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from helpers.cache import cache_folder
from helpers.validation import instance

from .posterior import Posterior
from .recipe import Recipe
from .simulator import differences

__all__ = ["SHIPPED_FOLDER", "load_or_train"]

SHIPPED_FOLDER = Path(__file__).with_name("networks")


def load_or_train(recipe: Recipe, *, retrain: bool = False, progress: bool = True) -> Posterior:
    """Return the network of a recipe: from a file if there is one, otherwise trained now and cached.

    A file belongs to a recipe if neuron, stimulus, prior, statistics, simulations, settings and seed are the same.
    Where it does not, or is damaged, a line says why before the training begins. An interrupted training is not cached.
    Of several processes that ask for the same network at the same time, one trains and the others wait for it.

    Parameters
    ----------
    recipe
        What the network is made from.
    retrain
        Whether to train it here even if a file fits; files are left unchanged.
    progress
        Whether to show a bar.

    Returns
    -------
    Posterior
        Its attribute `recipe` says what it was made from.

    Raises
    ------
    OSError
        If no cache folder can be written, see `helpers.cache.cache_folder`.
    """
    instance("recipe", recipe, Recipe, "a Recipe")
    if retrain:
        trained = recipe.train(progress=progress)
        if trained.interrupted:
            print(f"{recipe.name}: interrupted; this is the best network so far")
        return trained
    shipped, why = _read(SHIPPED_FOLDER / f"{recipe.name}.npz", recipe)
    if shipped is not None:
        return shipped
    path = cache_folder("networks") / f"{recipe.name}-{recipe.key}.npz"
    with _acquired(FileLock(f"{path}.lock"), recipe.name):
        cached, why_not = _read(path, recipe)
        if cached is not None:
            return cached
        if reasons := [reason for reason in (why, why_not) if reason]:
            print(f"{'; '.join(reasons)}; training a new one")
        posterior = recipe.train(progress=progress)
        _keep(posterior, path, recipe.name)
        return posterior


def _acquired(lock: FileLock, name: str) -> AbstractContextManager[Any]:
    """Acquire a lock, and return what releases it."""
    try:
        return lock.acquire(timeout=1.0)
    except Timeout:
        print(f"{name}: another process is training this network; waiting for it", flush=True)
        return lock.acquire()


def _keep(posterior: Posterior, path: Path, name: str) -> None:
    """Cache a network that was trained to the end. A training of minutes is not lost because a disk is full."""
    if posterior.interrupted:
        print(f"{name}: interrupted, so that this network is not cached")
        return
    try:
        posterior.save(path)
    except OSError as error:
        print(f"{name}: trained, but not cached: {error}")


def _read(path: Path, recipe: Recipe) -> tuple[Posterior | None, str]:
    """Return the posterior in a file, or None and why it is not used, "" if there is no such file."""
    try:
        posterior = Posterior.load(path)
    except FileNotFoundError:
        return None, ""
    except (ValueError, OSError) as error:
        return None, f"{path.name} is not used: {error}"
    wanted = recipe.as_data()
    if found := ", ".join(differences(posterior.recipe or {}, wanted)):
        return None, f"{path.name} was made from another recipe ({found})"
    if posterior.interrupted or not recipe.describes(posterior):
        return None, f"{path.name} does not hold what its recipe says"
    return posterior, ""
