"""Truncated rounds on a problem with a known, narrow posterior; going on after a break; and every wrong folder."""

from functools import partial

import numpy as np
import pytest

from helpers.inference.marginals import normal, uniform
from helpers.inference.priors import box_prior, prior_of
from helpers.inference.rounds import _counts_are_rare, truncated_rounds
from helpers.inference.simulator import CombinedSimulator, NeuronSimulator
from helpers.inference.truncation import Truncated
from helpers.inference.warning_classes import ExtrapolationWarning
from helpers.neurons.models import LeakyIntegrateAndFire, Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.stimuli import step

PRIOR = box_prior(Pospischil, ["g_Na", "g_K"], low=[0.0, 0.0], high=[80.0, 16.0])
TRUTH = np.array([50.0, 5.0])
SD = np.array([0.08, 0.016])  # a 1,000th of the prior
# Short forms have a 50th: 3 or 4 rounds, not 7 to 10, and so few simulations that the SD is not known as well.
SIZES = pytest.mark.parametrize(
    ("sd", "off"), [(20 * SD, 0.35), pytest.param(SD, 0.25, marks=pytest.mark.long)], ids=["coarse", "fine"]
)
X_O = np.array([50.0, 5.0, 0.0])
SMALL = {"n_round": 200, "n_final": 600, "budget": 3000, "ensemble": 2}
QUICK = SMALL | {"model": "mdn", "epochs": 60, "ensemble": 1}
# Where it does not matter how good the posterior is: three rounds.
POOR = QUICK | {"n_round": 100, "n_final": 200, "epochs": 40, "learning_rate": 0.01}


def readings(theta, seed, sd=SD):
    """Both parameters with normal noise, and a statistic that says nothing. The posterior is normal, of SD `sd`."""
    noise = np.random.default_rng(seed).standard_normal((len(theta), 3))
    return np.column_stack([theta + sd * noise[:, :2], noise[:, 2]])


@pytest.fixture(scope="module")
def rounds():
    return truncated_rounds(readings, PRIOR, X_O, seed=2, **SMALL)


@pytest.fixture(scope="module")
def quick_rounds():
    return truncated_rounds(readings, PRIOR, X_O, seed=2, **POOR)


def assert_is_exact(posterior):
    samples = posterior.sample(4000, X_O, seed=0)
    assert (np.abs(samples.mean(axis=0) - TRUTH) < 0.45 * SD).all()
    np.testing.assert_allclose(samples.std(axis=0), SD, rtol=0.25)
    assert abs(np.corrcoef(samples.T)[0, 1]) < 0.25


@pytest.mark.slow
def test_the_rounds_end_at_the_exact_posterior(rounds):
    assert rounds.stopped.startswith("ended: the box is settled")
    assert_is_exact(rounds.posterior)
    assert rounds.n_simulations == sum(len(one.x) for one in rounds.rounds) <= 3000
    widths = np.array([one.box[1] - one.box[0] for one in rounds.rounds])
    assert (widths[-1] < widths[0] / 50).all()
    for one in rounds.rounds:
        assert ((one.box[0] <= one.theta) & (one.theta <= one.box[1])).all()
        assert len(one.theta) <= one.n_used
    assert len(rounds.rounds[-1].posterior.losses) == 2
    assert len(rounds.table().splitlines()) == len(rounds.rounds) + 2


@pytest.mark.slow
@SIZES
def test_a_box_cut_in_the_wrong_place_grows_until_it_holds_the_posterior(sd, off):
    """A box that stayed as it was would cut the coarse posterior off, to a mean 1.1 SD too low."""
    calls = []

    def first_misled(theta, seed):
        calls.append(seed)
        return readings(theta + [10.0 if len(calls) == 1 else 0.0, 0.0], seed, sd)

    found = truncated_rounds(first_misled, PRIOR, X_O, seed=5, **SMALL | {"budget": 6000, "ensemble": 1})
    assert found.rounds[1].box[1][0] < TRUTH[0]  # the second box misses the truth
    assert found.rounds[1].edge_mass[1, 0] > (0.5 if sd is SD else 0.05)
    assert (np.diff([one.box[1][0] for one in found.rounds]) > 0).any()
    if sd is SD:
        assert_is_exact(found.posterior)
    samples = found.posterior.sample(4000, X_O, seed=0)
    assert (np.abs(samples.mean(axis=0) - TRUTH) < 0.45 * sd).all()
    assert (samples.std(axis=0) / sd < 2.0).all()


@pytest.mark.slow
def test_the_simulations_that_are_used_again_cover_the_region_evenly(rounds):
    last = rounds.rounds[-1].region
    drawn = last.draw(4000, 1)
    assert last.contains(drawn).all()
    seen = [one for one in rounds.rounds if one.region.covers(last)]
    assert len(seen) >= 2 and all(one.region.contains(drawn).all() for one in seen)


def counting(theta, seed, sd):
    """`readings` with a count of 7 or 8 by chance, and readings that lie elsewhere with 7."""
    eight = np.random.default_rng(seed + 1).random(len(theta)) < 0.5
    x = readings(theta, seed, sd)
    x[:, :2] += np.where(eight, 0.0, 5.0)[:, None] * sd
    return np.column_stack([7.0 + eight, x])


@pytest.mark.slow
@SIZES
def test_a_count_that_is_not_sure_is_conditioned_on(sd, off):
    """Both clouds together would have a mean 2.5 SD off, and an SD 2.7 times as large."""
    few = {"n_round": 400, "n_final": 600, "budget": 9000, "ensemble": 1}
    x_o, more = np.array([8.0, *X_O]), {"n_round": 800, "n_final": 1000, "budget": 9000} if sd is SD else few
    found = truncated_rounds(partial(counting, sd=sd), PRIOR, x_o, seed=2, **SMALL | more)
    samples = found.posterior.sample(4000, x_o, seed=0)
    assert (np.abs(samples.mean(axis=0) - TRUTH) < 0.45 * sd).all()
    np.testing.assert_allclose(samples.std(axis=0), sd, rtol=off)
    last = found.rounds[-1]
    seen = [one for one in found.rounds if one.region.covers(last.region)]
    inside = [last.region.contains(one.theta) for one in seen]
    assert last.n_used == sum((one.x[rows, 0] == 8).sum() for one, rows in zip(seen, inside, strict=True))


def test_a_region_of_other_counts_has_not_converged():
    theta, whole = PRIOR.draw(1000, seed=1), Truncated.whole(PRIOR)
    for alike, rare in ((100, True), (250, False)):
        x = np.column_stack([np.where(np.arange(1000) < alike, 8.0, 5.0), theta])
        assert _counts_are_rare(whole, np.array([8.0, *TRUTH]), theta, x) == rare
    assert not _counts_are_rare(whole, X_O, theta, readings(theta, 1))  # no counts


@pytest.mark.slow
@SIZES
def test_statistics_of_repeats_side_by_side_give_one_posterior(sd, off):
    """Of four independent readings, so half as wide as of one; two of them would make it 1.4 times as wide."""

    def four(theta, seed):
        return np.column_stack([readings(theta, seed + repeat, sd)[:, :2] for repeat in range(4)])

    x_o = np.concatenate([TRUTH + sd * away for away in (-1.5, 0.5, 1.5, -0.5)])
    more = {"n_final": 1000, "budget": 5000} if sd is SD else {"budget": 5000, "ensemble": 1}
    found = truncated_rounds(four, PRIOR, x_o, seed=2 if sd is SD else 5, **SMALL | more)
    samples = found.posterior.sample(4000, x_o, seed=0)
    assert (np.abs(samples.mean(axis=0) - TRUTH) < 0.45 * sd / 2).all()
    np.testing.assert_allclose(samples.std(axis=0), sd / 2, rtol=off)


@pytest.mark.slow
def test_experiments_of_a_combined_simulator_are_one_observation():
    prior = box_prior(Pospischil, ["g_L", "E_L"])
    down, less = (NeuronSimulator(Pospischil(), step(I, 5.0, 25.0), prior, 30.0, 0.025) for I in (-1.0, -0.5))
    both, truth = CombinedSimulator({"down": down, "less": less}), np.array([[0.2, -65.0]])
    x_o = both(truth, 3)[0]
    found = truncated_rounds(both, prior, x_o, seed=1, **SMALL | {"ensemble": 1})
    assert all(one.x.shape[1] == 14 for one in found.rounds)
    samples = found.posterior.sample(1000, x_o, seed=1)
    assert (np.abs(samples.mean(axis=0) - truth[0]) < 4 * samples.std(axis=0)).all()
    assert (samples.std(axis=0) < (prior.upper - prior.lower) / 10).all(), samples.std(axis=0)
    with pytest.raises(ValueError, match="simulate gave statistics of shape"):
        truncated_rounds(both, prior, x_o[:7], seed=1, **QUICK)


@pytest.mark.slow
def test_an_observation_that_no_parameters_give_is_not_settled():
    def twice(theta, seed):
        return np.column_stack([readings(theta, seed)[:, :2], readings(theta, seed + 1)[:, :2]])

    contradictory = np.array([*TRUTH, *(TRUTH + 8 * SD)])
    with pytest.warns(ExtrapolationWarning, match="no parameters in the box give statistics like x_o"):
        found = truncated_rounds(twice, PRIOR, contradictory, seed=2, **QUICK)
    assert "a guess" in found.stopped and "settled" not in found.stopped


@pytest.mark.slow
def test_a_posterior_at_the_edge_of_the_prior_is_not_taken_for_a_box_too_small():
    x_o = np.array([80.0, 16.0, 0.0])
    found = truncated_rounds(readings, PRIOR, x_o, seed=2, **QUICK | {"n_final": 2000, "budget": 6000})
    assert found.stopped.startswith("ended: the box is settled")
    samples = found.posterior.sample(4000, x_o, seed=0)
    half_normal = SD * np.sqrt(1 - 2 / np.pi)
    np.testing.assert_allclose(samples.std(axis=0), half_normal, rtol=0.3)
    assert (samples <= PRIOR.upper).all()


@pytest.mark.slow
def test_going_on_after_a_break_gives_the_same(quick_rounds, tmp_path):
    calls = []

    def broken(theta, seed):
        if len(calls) == 2:
            raise RuntimeError("power cut")
        calls.append(seed)
        return readings(theta, seed)

    with pytest.raises(RuntimeError, match="power cut"):
        truncated_rounds(broken, PRIOR, X_O, seed=2, folder=tmp_path / "rounds", **POOR)
    more = []

    def counted(theta, seed):
        more.append(seed)
        return readings(theta, seed)

    found = truncated_rounds(counted, PRIOR, X_O, seed=2, folder=tmp_path / "rounds", **POOR)
    assert len(calls) + len(more) == len(quick_rounds.rounds)
    np.testing.assert_array_equal(found.posterior.sample(50, X_O, 0), quick_rounds.posterior.sample(50, X_O, 0))
    assert not list((tmp_path / "rounds").glob("*unfinished*"))

    again = truncated_rounds(broken, PRIOR, X_O, seed=2, folder=tmp_path / "rounds", **POOR)  # nothing left to do
    np.testing.assert_array_equal(again.posterior.sample(50, X_O, 0), quick_rounds.posterior.sample(50, X_O, 0))

    for change, message in (
        ({"seed": 3}, "holds rounds with another seed: 2; now 3"),
        ({"x_o": X_O + 1}, r"another x_o: \[50.0, 5.0, 0.0\]; now"),
        ({"prior": box_prior(Pospischil, ["g_Na", "g_M"])}, "another prior"),
        ({"model": "maf"}, "another training"),
    ):
        arguments = {"prior": PRIOR, "x_o": X_O, "seed": 2, "folder": tmp_path / "rounds", **POOR} | change
        with pytest.raises(ValueError, match=message):
            truncated_rounds(readings, **arguments)

    file = tmp_path / "rounds" / "round_2_simulations.npz"
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(ValueError, match="round_2_simulations.npz holds no simulations that can be read"):
        truncated_rounds(readings, PRIOR, X_O, seed=2, folder=tmp_path / "rounds", **POOR)
    (tmp_path / "rounds" / "round_1_simulations.npz").replace(file)
    with pytest.raises(ValueError, match="holds other parameters than this round draws"):
        truncated_rounds(readings, PRIOR, X_O, seed=2, folder=tmp_path / "rounds", **POOR)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(ValueError, match="contains letter.txt but no rounds: choose an empty one"):
        truncated_rounds(readings, PRIOR, X_O, seed=2, folder=tmp_path, **SMALL)
    assert [entry.name for entry in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.slow
def test_interrupting_gives_what_there_is(quick_rounds):
    first = int(np.random.SeedSequence((2, 1)).generate_state(4)[1])

    def stopped_by_hand(theta, seed):
        if seed != first:
            raise KeyboardInterrupt
        return readings(theta, seed)

    found = truncated_rounds(stopped_by_hand, PRIOR, X_O, seed=2, **POOR)
    assert len(found.rounds) == 1 and "Ctrl-C" in found.stopped
    np.testing.assert_array_equal(found.rounds[0].samples, quick_rounds.rounds[0].samples)


@pytest.mark.slow
def test_too_small_a_budget_is_told():
    with pytest.warns(UserWarning, match="budget of 800 simulations is used up before the box has settled"):
        found = truncated_rounds(readings, PRIOR, X_O, seed=1, **QUICK | {"budget": 800, "epochs": None})
    assert found.n_simulations <= 800


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_round": 10}, "n_round = 10; allowed: an integer from 50"),
        ({"budget": 700}, "budget = 700; allowed: an integer from 800"),
        ({"margin": 0.0}, "margin = 0; allowed: above 0"),
        ({"x_o": np.array([1.0, np.nan, 0.0])}, r"x_o = nan \(entry 1\); allowed: finite numbers"),
        ({"x_o": X_O[:2]}, r"simulate gave statistics of shape \(200, 3\); allowed: \(200, 2\)"),
        ({"simulate": lambda theta, seed: readings(theta, seed) * np.nan}, r"x\[0\] = .* is not finite"),
        ({"simulate": lambda theta, seed: np.zeros((len(theta), 3))}, "all 200 simulations give the same statistics"),
    ],
)
def test_bad_input(change, message):
    arguments = {"simulate": readings, "prior": PRIOR, "x_o": X_O, "seed": 1, **QUICK} | change
    with pytest.raises(ValueError, match=message):
        truncated_rounds(**arguments)


def test_dependencies_are_refused():
    marginals = {"V_init": normal(-70.0, 2.0), "E_L": uniform()}
    prior = prior_of(LeakyIntegrateAndFire, marginals, below={"V_init": ("E_L", 0.5)})
    with pytest.raises(ValueError, match="V_init must lie below others cannot be cut down"):
        truncated_rounds(readings, prior, X_O, seed=1)


@pytest.mark.long  # lesson 2 runs the same rounds, and holds them to a reference that it computes
def test_the_tutorials_problem_has_the_posterior_of_the_fisher_information():
    """At (50, 5): SD 0.056 and 0.0039, correlation 0.91, from 800 noise repeats and central differences."""
    prior, stimulus = box_prior(Pospischil, ["g_Na", "g_K"]), step(3.24806, 10.0, 110.0)

    def simulated(theta, seed):
        return simulate_many(Pospischil(), stimulus, prior.by_name(theta), 120.0, seed=seed)

    x_o = simulated(TRUTH[None], 11)[0]
    found = truncated_rounds(simulated, prior, x_o, seed=0)
    samples = found.posterior.sample(4000, x_o, seed=0)
    np.testing.assert_allclose(samples.std(axis=0), [0.056, 0.0039], rtol=0.2)
    assert np.corrcoef(samples.T)[0, 1] == pytest.approx(0.91, abs=0.04)
    assert (np.abs(samples.mean(axis=0) - TRUTH) < 3.5 * samples.std(axis=0)).all()
    assert found.n_simulations <= 10_000 and found.stopped.startswith("ended: the box is settled")
