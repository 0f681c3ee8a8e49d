"""Networks that come with the series or were trained here: each belongs to its recipe, or is not used."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.inference import cache
from helpers.inference.cache import SHIPPED_FOLDER, load_or_train
from helpers.inference.density_estimators import train_network
from helpers.inference.fingerprint import _plain_text
from helpers.inference.lif.problem import CORRECTED, ORIGINAL, WIDE_PRIOR, LifExperiment
from helpers.inference.lif.simulator import LifSimulator
from helpers.inference.lif.statistics import lif_statistics
from helpers.inference.posterior import Posterior
from helpers.inference.priors import box_prior
from helpers.inference.recipe import Recipe
from helpers.inference.shipped import RECIPES
from helpers.inference.simulator import NeuronSimulator
from helpers.neurons.models import Pospischil
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import summary
from tools import train as train_tool
from tools.train import losses

really_train = Recipe.train
ROOT = Path(__file__).resolve().parents[2]
PRIOR = box_prior(Pospischil, ["g_Na", "g_K"], low=[40.0, 4.0], high=[60.0, 6.0])
SIMULATOR = NeuronSimulator(Pospischil(), step(3.248, 5.0, 25.0), PRIOR, 30.0)
SMALL = Recipe("small", SIMULATOR, 60, seed=1, training={"epochs": 1, "model": "mdn"})


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """An empty cache, and an empty folder of shipped networks."""
    monkeypatch.setenv("PYHH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "SHIPPED_FOLDER", tmp_path / "networks")
    (tmp_path / "networks").mkdir()
    return tmp_path


@pytest.fixture
def trainings(monkeypatch):
    """The recipes that were trained, one by one."""
    made, train = [], Recipe.train

    def counted(recipe, **how):
        made.append(recipe)
        return train(recipe, **how)

    monkeypatch.setattr(Recipe, "train", counted)
    return made


# ------------------------------------------------------------------------------------------- what comes with the series


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_shipped_network_belongs_to_the_code(recipe, tmp_path, monkeypatch, capsys):
    """Otherwise: ./setup_pyhh.sh train, look at what it prints, and commit the file."""
    monkeypatch.setenv("PYHH_CACHE", str(tmp_path))  # in which an earlier run may have left one that does
    monkeypatch.setattr(Recipe, "train", lambda recipe, **how: pytest.fail(capsys.readouterr().out))
    posterior = load_or_train(recipe)
    assert capsys.readouterr().out == ""
    assert posterior.statistics == recipe.simulator.names and posterior.prior.names == recipe.simulator.prior.names
    kept = min(loss[:, 1].min() for loss in posterior.losses)  # on the simulations held out from its training
    now = losses(posterior, *recipe.simulated(1000, seed=7_000_000))
    error = now.std() * np.sqrt(1 / len(now) + 10 / recipe.simulations)  # a tenth is held out
    assert abs(now.mean() - kept) < 4 * error, "what it learned is not what is simulated now"


def test_shipped_networks_are_small_and_whole():
    files = sorted(path.name for path in SHIPPED_FOLDER.iterdir())
    assert files == sorted(f"{name}.npz" for name in RECIPES)
    assert sum(path.stat().st_size for path in SHIPPED_FOLDER.iterdir()) < 3e6


def test_a_shipped_network_is_used_wherever_the_same_recipe_is_written(trainings):
    simulator = NeuronSimulator(
        Pospischil(g_Na=20.0), step(3.248, 10.0, 110.0), box_prior(Pospischil, ["g_Na", "g_K"]), 120
    )
    load_or_train(replace(RECIPES["conductances"], simulator=simulator))  # g_Na is inferred: its value does not count
    assert not trainings


# ------------------------------------------------------------------------------------------------------- ingredients


@summary(highest="mV")
def highest(sweep):
    return np.array([sweep.V.max()])


class AnotherCell(Pospischil):
    """Named differently: it may compute something else."""


CHANGES = {
    "stimulus": (
        {"simulator": replace(SIMULATOR, stimulus=step(3.0, 5.0, 25.0))},
        "simulator: stimulus: parameters: amplitude 3.248, now 3.0",
    ),
    "neuron": ({"simulator": replace(SIMULATOR, neuron=Pospischil(g_L=0.2))}, "g_L 0.1, now 0.2"),
    "class": ({"simulator": replace(SIMULATOR, neuron=AnotherCell())}, "class Pospischil, now AnotherCell"),
    "dt": ({"simulator": replace(SIMULATOR, dt=0.02)}, "dt 0.01, now 0.02"),
    "statistics": ({"simulator": replace(SIMULATOR, summarise=highest)}, "summarise: function differs"),
    "prior": (
        {"simulator": replace(SIMULATOR, prior=box_prior(Pospischil, ["g_Na", "g_K"], low=[40, 4], high=[60, 7]))},
        "prior: marginals differs",
    ),
    "simulations": ({"simulations": 61}, "simulations 60, now 61"),
    "seed": ({"seed": 2}, "seed 1, now 2"),
    "settings": ({"training": {"epochs": 2, "model": "mdn"}}, "training: epochs 1, now 2"),
    "model": ({"training": {"epochs": 1}}, "training: model mdn, now maf"),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_a_changed_ingredient_is_noticed_named_and_trained(change, words, folders, trainings, capsys):
    SMALL.train(progress=False).save(folders / "networks" / "small.npz")
    trainings.clear()
    load_or_train(SMALL, progress=False)
    assert not trainings and capsys.readouterr().out == ""
    changed = replace(SMALL, **change)
    first = load_or_train(changed, progress=False)
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and words in said and trainings == [changed]
    again = load_or_train(changed, progress=False)
    assert trainings == [changed], "it was cached"
    theta, x = changed.simulated(20, seed=9)
    np.testing.assert_array_equal(losses(first, theta, x), losses(again, theta, x))


def test_another_version_of_the_format_is_noticed(folders, trainings, monkeypatch, capsys):
    posterior = really_train(SMALL, progress=False)
    with monkeypatch.context() as earlier:
        earlier.setattr("helpers.inference.posterior.FILE_FORMAT", 4)
        posterior.save(folders / "networks" / "small.npz")
    load_or_train(SMALL, progress=False)
    assert "format 4" in capsys.readouterr().out and trainings == [SMALL]


def test_equations_count_by_what_they_compute_not_by_versions_of_packages(monkeypatch):
    key = RECIPES["conductances"].key
    for package in ("numpy", "numba", "torch"):
        monkeypatch.setattr(sys.modules[package], "__version__", "9.9")
    assert replace(RECIPES["conductances"]).key == key


def test_a_syntax_tree_reads_the_same_in_every_version_of_python():
    import ast
    import hashlib

    text = '''
def f(x: float, *, scale=2.0) -> float:
    """What it does."""
    total = [k**2 for k in x if k > -1]
    print(f"{total!r:>{scale}} of {x}")
    return (lambda y, /: y[1:2, ...] @ x)(total) or None
'''
    written = _plain_text(ast.parse(text))
    assert "What it does" not in written and "annotation" not in written
    digest = hashlib.sha256(written.encode()).hexdigest()[:16]
    assert digest == "67da01575915e1c4", "fingerprints made by one version of Python do not hold in this one"


def test_recipes_of_recordings_and_of_their_statistics():
    theta = WIDE_PRIOR.draw(3, seed=0)
    both = LifSimulator(CORRECTED, WIDE_PRIOR), LifSimulator(CORRECTED, WIDE_PRIOR, statistics=False)
    statistics, recordings = (simulator(theta, 5) for simulator in both)
    np.testing.assert_array_equal(statistics, lif_statistics(CORRECTED, recordings))
    before = Recipe("one", both[0], 100, seed=0).key
    with pytest.MonkeyPatch.context() as edited:
        edited.setattr(LifExperiment, "refractory_samples", property(lambda self: 0))
        assert Recipe("one", both[0], 100, seed=0).key != before, "the experiment's own code counts, too"
    others = (LifSimulator(experiment, WIDE_PRIOR) for experiment in (ORIGINAL, replace(CORRECTED, dt=0.1)))
    assert len({Recipe("one", simulator, 100, seed=0).key for simulator in (*both, *others)}) == 4


def test_a_recipe_says_what_it_is_and_refuses_nonsense():
    assert str(SMALL) == (
        "small: the posterior of g_Na, g_K, from 60 simulations (seed 1)\n"
        "seen: spike_count, rest_mean, rest_sd, mean, variance, skewness, kurtosis\n"
        "training: epochs 1, model mdn"
    )
    with pytest.raises(ValueError, match="name = '../x'; allowed: up to 100 letters, digits and hyphens"):
        replace(SMALL, name="../x")
    with pytest.raises(ValueError, match="simulations = 10; allowed: an integer from 50"):
        replace(SMALL, simulations=10)
    with pytest.raises(
        ValueError, match="simulator = .*; allowed: a NeuronSimulator, CombinedSimulator or LifSimulator"
    ):
        replace(SMALL, simulator=lambda theta, seed: theta)
    wrong = {"epochs": 0, "epoch": 1, "model": "foo", "ensemble": 0, "scaling": "foo", "embedding": "x", "seed": 3,
             "simulator": SIMULATOR, "statistics": SIMULATOR.names}  # fmt: skip
    for name, value in wrong.items():  # otherwise they would fail after the simulations, or not be part of the key
        with pytest.raises(ValueError, match=f"training = '{name}'|{name}.* allowed: "):
            replace(SMALL, training={name: value})
    for name in ("", "a" * 101, 3):
        with pytest.raises(ValueError, match="name = "):
            replace(SMALL, name=name)
    with pytest.raises(ValueError, match="training is of type NoneType"):
        replace(SMALL, training=None)
    with pytest.raises(ValueError, match="recipe is of type str; allowed: a Recipe"):
        load_or_train("conductances")


# --------------------------------------------------------------------------------------------------------- bad luck


def test_a_damaged_file_costs_one_line_and_one_training(folders, trainings, capsys):
    (folders / "networks" / "small.npz").write_bytes(b"PK damaged")
    load_or_train(SMALL, progress=False)
    said = capsys.readouterr().out
    assert said.startswith("small.npz is not used: small.npz holds no posterior that can be read")
    assert said.count("\n") == 1 and said.endswith("; training a new one\n") and trainings == [SMALL]
    load_or_train(SMALL, progress=False)
    assert trainings == [SMALL] and capsys.readouterr().out == "", "the cache has it now"
    (cached,) = (folders / "cache" / "networks").glob("*.npz")
    cached.write_bytes(cached.read_bytes()[:-100])
    load_or_train(SMALL, progress=False)
    assert trainings == [SMALL, SMALL]


@pytest.mark.parametrize("entry", [5, "text", [1], True])
def test_a_file_with_a_strange_recipe_is_not_used(entry, folders, trainings, capsys):
    replace(really_train(SMALL, progress=False), recipe=entry).save(folders / "networks" / "small.npz")
    load_or_train(SMALL, progress=False)
    assert trainings == [SMALL] and f"its recipe is {entry!r}" in capsys.readouterr().out


def test_a_file_that_belies_its_recipe_is_not_used(folders, trainings, capsys):
    good = really_train(SMALL, progress=False)
    wider = replace(SMALL, simulator=replace(SIMULATOR, prior=box_prior(Pospischil, ["g_Na", "g_K"])))
    lies = (
        replace(good, statistics=("a",) * 7),
        replace(good, interrupted=True),
        replace(really_train(wider, progress=False), recipe=SMALL.as_data()),
    )
    for i, lie in enumerate(lies):
        lie.save(folders / "networks" / "small.npz")
        load_or_train(replace(SMALL, seed=1), progress=False)
        assert len(trainings) == i + 1 and "does not hold what its recipe says" in capsys.readouterr().out
        next((folders / "cache" / "networks").glob("*.npz")).unlink()
    next(good.network.parameters()).data[0] = np.nan
    good.save(folders / "networks" / "small.npz")
    load_or_train(SMALL, progress=False)
    assert len(trainings) == len(lies) + 1 and "weights are not finite" in capsys.readouterr().out


def test_an_interruption_leaves_no_file_and_no_lock(folders, monkeypatch, capsys):
    def at_once(*_):
        raise KeyboardInterrupt

    def after_an_epoch(*arguments):
        return train_network(*arguments)[0], True

    monkeypatch.setattr("helpers.inference.npe.train_network", at_once)
    with pytest.raises(KeyboardInterrupt) as kept:  # a notebook keeps it, with all that it refers to
        load_or_train(SMALL, progress=False)
    monkeypatch.setattr("helpers.inference.npe.train_network", after_an_epoch)
    assert load_or_train(SMALL, progress=False).interrupted and kept.value is not None
    assert capsys.readouterr().out == "small: interrupted, so that this network is not cached\n"
    assert not list((folders / "cache" / "networks").glob("*.npz"))


def test_a_training_is_not_lost_where_it_cannot_be_cached(folders, monkeypatch, capsys):
    def full(posterior, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Posterior, "save", full)
    assert load_or_train(SMALL, progress=False).recipe == SMALL.as_data()
    assert capsys.readouterr().out == "small: trained, but not cached: [Errno 28] No space left on device\n"


def test_a_killed_training_leaves_nothing_that_is_taken_for_a_network(folders, trainings):
    load_or_train(SMALL, progress=False)
    (cached,) = (folders / "cache" / "networks").glob("*.npz")
    cached.rename(f"{cached}.unfinished")  # as it is called until it is whole
    load_or_train(SMALL, progress=False)
    assert len(trainings) == 2


SECOND_KERNEL = """
import sys
sys.path[:0] = ["tests", "tests/inference"]
import test_recipes as own

def train(recipe, **how):
    raise AssertionError("trained twice")

own.Recipe.train = train
print(own.density(own.load_or_train(own.SMALL, progress=False)))
"""


def density(posterior):
    theta = [[50.0, 5.0]]
    return posterior.log_prob(theta, SIMULATOR(theta, seed=1)[0])[0]


@pytest.mark.slow
def test_two_kernels_that_ask_at_once_train_once(folders, monkeypatch):
    second = []

    def train_slowly(recipe, **how):
        command = [sys.executable, "-c", SECOND_KERNEL]
        second.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        assert second[0].stdout.readline() == "small: another process is training this network; waiting for it\n"
        return really_train(recipe, **how)

    monkeypatch.setattr(Recipe, "train", train_slowly)
    first = load_or_train(SMALL, progress=False)
    said, _ = second[0].communicate(timeout=300)
    assert float(said) == density(first)


@pytest.mark.slow
def test_train_writes_the_file_and_compares_it_with_the_old_one(folders, monkeypatch, capsys):
    monkeypatch.setattr("tools.train.SHIPPED_FOLDER", folders / "networks")
    monkeypatch.setattr("tools.train.RECIPES", {"small": SMALL})
    monkeypatch.setattr("tools.train.NEW_TRUTHS", 60)
    monkeypatch.setattr("tools.train.OBSERVATIONS", 2)
    with pytest.raises(SystemExit):
        train_tool.main(["large"])
    assert "no network is called large; there are small" in capsys.readouterr().err
    assert train_tool.main([]) == 0
    first = capsys.readouterr().out
    assert "  new: loss " in first and "old:" not in first and "wrote small.npz" in first
    assert train_tool.main(["small"]) == 0
    second = capsys.readouterr().out
    assert "  old: loss " in second and re.search(r"C2ST of old and new at 2 observations: 0.[45]\d, ", second)
    changed = replace(SMALL, simulator=replace(SIMULATOR, summarise=highest))
    monkeypatch.setattr("tools.train.RECIPES", {"small": changed})
    assert train_tool.main(["small"]) == 0, "the very case that it is for"
    assert "old: not comparable, of another prior or other statistics" in capsys.readouterr().out
    assert Posterior.load(folders / "networks" / "small.npz").recipe == changed.as_data()


def test_training_again_leaves_the_files_alone(folders, trainings):
    load_or_train(SMALL, retrain=True, progress=False)
    load_or_train(SMALL, retrain=True, progress=False)
    assert len(trainings) == 2 and not (folders / "cache").exists()
    assert isinstance(trainings[0].train(progress=False), Posterior)
