"""Campaigns: the same bits as without one, whatever the split; training from one; and when two things are the same."""

import os
import pickle
import subprocess
import sys
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from numba import njit
from support.campaigns import PRIOR, files, small

from helpers.campaigns import __main__ as campaign_command
from helpers.campaigns.shards import Shard, cover
from helpers.campaigns.simulations import Simulations
from helpers.campaigns.training import train_on
from helpers.inference.fingerprint import fingerprint
from helpers.inference.lif.problem import CORRECTED, PUBLISHED_PRIOR
from helpers.inference.marginals import normal, uniform
from helpers.inference.npe import train_npe
from helpers.inference.priors import box_prior, prior_of
from helpers.neurons.equations import gate
from helpers.neurons.functions import exp, linoid
from helpers.neurons.models import Pospischil
from helpers.simulation.batch import simulate_many
from helpers.simulation.stimuli import chirp, step
from helpers.simulation.summaries import Summary, summary, summary_statistics

ROOT = Path(__file__).parents[2]
N = 3000


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A campaign in one file, and the same simulations without a campaign."""
    campaign = small(tmp_path_factory.mktemp("whole"))
    theta = PRIOR.draw(N, 7)
    x = simulate_many(Pospischil(), step(3.0, 5.0, 45.0), PRIOR.by_name(theta), 50.0, 0.0125, seed=7)
    return campaign.run(N), theta, x


# ------------------------------------------------------------------------------------------------------ the same bits


def test_a_campaign_holds_what_simulate_many_gives(whole):
    made, theta, x = whole
    for found, expected in zip(made.read(), (theta, x), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert made.statistics[0] == "spike_count" and made.names == ("g_Na", "g_K")
    assert made.prior.as_data() == PRIOR.as_data()


def test_any_split_gives_the_same_bits(whole, tmp_path):
    made, _, x = whole
    run = {"shard": 70, "threads": 1}
    small(tmp_path).run(100, **run)
    small(tmp_path).run(1001, shard=333)
    other = small(tmp_path).run(N, shard=1000, threads=2)
    np.testing.assert_array_equal(other.read()[1], x)
    assert len(other.shards) > 5 and other.verify() == []
    assert other.key == made.key
    assert small(tmp_path).run(100).number == N, "a smaller number takes nothing away"


def test_a_large_campaign_takes_larger_files_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("helpers.campaigns.campaign.SHARD", 10)
    monkeypatch.setattr("helpers.campaigns.campaign.FILES", 4)
    made = small(tmp_path).run(20)
    assert [one.stop for one in made.shards] == [10, 20]
    made = small(tmp_path).run(100)
    assert [one.stop for one in made.shards] == [10, 20, 25, 50, 75, 100]


def test_the_same_campaign_writes_the_same_files(whole, tmp_path):
    small(tmp_path).run(N)
    assert files(tmp_path) == files(whole[0].folder)


def test_a_part_is_read_without_the_rest(tmp_path, whole):
    made = small(tmp_path).run(N, shard=400)
    _, theta, x = whole
    for first, stop in ((0, 1), (399, 401), (400, 800), (2999, 3000), (5, 2995)):
        found = made.read(first, stop)
        np.testing.assert_array_equal(found[0], theta[first:stop])
        np.testing.assert_array_equal(found[1], x[first:stop])
    for path in sorted((tmp_path / "shards").glob("*.parquet"))[2:]:
        path.unlink()
    np.testing.assert_array_equal(made.read(100, 700)[1], x[100:700])
    with pytest.raises(ValueError, match="2,200 of the 3,000 simulations are not there, from 800 on"):
        made.read()


def test_one_array_of_all(tmp_path, whole):
    made = small(tmp_path).run(N, shard=400)
    _, theta, x = whole
    assert made.theta.shape == theta.shape and made.x.shape == x.shape and made.x.npartitions == 8
    np.testing.assert_array_equal(made.x[390:410, 1].compute(scheduler="synchronous"), x[390:410, 1])
    np.testing.assert_allclose(made.theta.mean(axis=0).compute(scheduler="synchronous"), theta.mean(axis=0))
    sizes = [len(part[0]) for part in made.batches(100, 1000)]
    assert sizes == [300, 400, 200]


@pytest.mark.parametrize(
    "prior",
    [
        PRIOR,
        prior_of(Pospischil, {"tau_max": normal(600.0, 0.5, log=True)}),
        prior_of(Pospischil, {"V_T": normal(-60.0, 5.0), "g_M": uniform(log=True), "g_Na": uniform()}),
        PUBLISHED_PRIOR,
    ],
)
def test_parameters_drawn_in_parts_are_the_same(prior):
    together = prior.draw(1001, 5)
    for first, n in ((0, 1), (1, 1), (17, 2), (500, 501), (1000, 1)):
        np.testing.assert_array_equal(prior.draw(n, 5, first), together[first : first + n])


def test_simulations_from_a_later_number_on_are_the_same():
    draws = {"g_Na": np.linspace(5.0, 80.0, 100)}
    together = simulate_many(Pospischil(), step(3.0, 5.0, 45.0), draws, 50.0, 0.025, seed=1)
    rest = {"g_Na": draws["g_Na"][37:]}
    later = simulate_many(Pospischil(), step(3.0, 5.0, 45.0), rest, 50.0, 0.025, seed=1, first=37)
    np.testing.assert_array_equal(later, together[37:])
    with pytest.raises(ValueError, match="first = -1; allowed: an integer from 0"):
        simulate_many(Pospischil(), step(3.0, 5.0, 45.0), rest, 50.0, 0.025, seed=1, first=-1)


ELSEWHERE = """
import pickle, sys
from helpers.inference.fingerprint import fingerprint
from helpers.inference.lif.problem import CORRECTED
from helpers.neurons.models import Pospischil
from helpers.simulation.summaries import summary_statistics
print(fingerprint(CORRECTED, Pospischil(), summary_statistics))
for campaign in pickle.load(sys.stdin.buffer):
    print(campaign.simulate(5, 70)[1].tobytes().hex())
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Two campaigns, and what another process prints of them: compiled for any x86 or ARM at all, here for this one."""

    @summary(peak="mV", mean="mV")
    def own(sweep):
        return np.array([sweep.V.max(), sweep.V.mean()])

    from cloudpickle import dumps  # as Dask does

    place = tmp_path_factory.mktemp("elsewhere")
    campaigns = [small(place), small(place, summarise=own)]
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests")))
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(place)}
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], input=dumps(campaigns), capture_output=True, check=True,
        env={**os.environ, **plain, "PYTHONPATH": path, "PYTHONHASHSEED": "1"},
    )  # fmt: skip
    return campaigns, done.stdout.decode().split()


def test_statistics_of_another_process_and_another_processor_have_the_same_bits(elsewhere):
    """It gets the campaigns by pickle, and a summary by name where it has one, otherwise as text."""
    campaigns, (_, *there) = elsewhere
    assert there == [campaign.simulate(5, 70)[1].tobytes().hex() for campaign in campaigns]


IN_A_NOTEBOOK = [
    """
from dataclasses import dataclass
import numpy as np
from dask.distributed import Client
from helpers.campaigns.campaign import Campaign
from helpers.neurons.equations import Neuron, current, state
from helpers.inference.priors import box_prior
from helpers.neurons.parameters import parameter
from helpers.simulation.stimuli import step
from helpers.simulation.summaries import summary
""",
    """
@dataclass(frozen=True, kw_only=True)
class Passive(Neuron):
    C: float = parameter(1.0, "µF/cm²", "membrane capacitance", low=0.5, high=2.0, minimum=0.1)
    g_L: float = parameter(0.3, "mS/cm²", "leak conductance", low=0.1, high=1.0, minimum=0.0)
    V_init: float = parameter(-60.0, "mV", "membrane potential at the start", low=-80.0, high=0.0)

    @current
    def I_L(g_L):
        return g_L, -60.0
""",
    """
@summary(end="mV")
def end(sweep):
    return np.array([sweep.V[-1]])
""",
    """
def campaign(folder):
    return Campaign(folder, Passive(), step(3.0, 5.0, 40.0), box_prior(Passive, ["C", "g_L"]), 40.0, summarise=end)

with Client(n_workers=1, threads_per_worker=1, dashboard_address=":0") as client:
    there = campaign("there").run(600, shard=100, client=client)
here = campaign("here").run(600, shard=600)
assert all(map(np.array_equal, there.read(), here.read())) and there.verify() == []
theta, x = here.read()
assert np.abs(x[:, 0] - (-60.0 + 3.0 / theta[:, 1] * (1 - np.exp(-35.0 * theta[:, 1] / theta[:, 0])))).max() < 1e-3
""",
]


@pytest.mark.long  # in short: the summary above that travels by pickle, and the classes of test_sources
def test_a_neuron_and_a_summary_of_a_notebook_go_to_workers_that_have_never_seen_it(tmp_path, monkeypatch):
    """Dask's workers have no `__main__` of the notebook: classes travel by value, and with them the text to compile."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cells = list(map(new_code_cell, IN_A_NOTEBOOK))
    NotebookClient(new_notebook(cells=cells), timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()


# --------------------------------------------------------------------------------------------------- what it refuses


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 8}, "seed 7, now 8"),
        ({"neuron": Pospischil(noise=0.05)}, "neuron: parameters: noise 0.1, now 0.05"),
        ({"stimulus": step(3.5, 5.0, 45.0)}, "stimulus: parameters: amplitude 3.0, now 3.5"),
        ({"stimulus": chirp(3.0, 5.0, 45.0, 1.0, 20.0)}, "stimulus: class step, now chirp"),
        ({"prior": box_prior(Pospischil, ["g_Na", "g_K"], [1, 1], [9, 9])}, "prior: marginals differs"),
        ({"precision": "single"}, "precision double, now single"),
        ({"method": "rk4"}, "machine code differs"),
    ],
)
def test_a_folder_that_holds_another_campaign(whole, changes, words):
    before = files(whole[0].folder)
    with pytest.raises(ValueError, match=f"holds another campaign .*{words}.*: choose another folder"):
        small(whole[0].folder, **changes).run(N)
    assert files(whole[0].folder) == before


@dataclass(frozen=True, kw_only=True)
class Edited(Pospischil):
    """The same neuron but for one number in one rate."""

    @gate
    def n(V, V_T):
        u = V - V_T
        return 0.032 * 5.0 * linoid(-(u - 15.0) / 5.0), 0.5 * exp(-(u - 10.5) / 40.0)


def test_an_edited_equation_is_another_campaign(whole):
    with pytest.raises(ValueError, match=r"neuron: class Pospischil, now Edited, neuron: equations differs"):
        small(whole[0].folder, neuron=Edited()).run(N)


def test_another_waveform_is_another_campaign(tmp_path):
    t = np.arange(4001) * 0.0125
    samples = np.where((t >= 5.0) & (t < 45.0), 3.0, 0.0)
    small(tmp_path, stimulus=samples).run(10)
    with pytest.raises(ValueError, match="stimulus: waveform differs"):
        small(tmp_path, stimulus=samples * (1.0 + 1e-15)).run(10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"number": 0}, "number = 0; allowed: an integer from 1 up"),
        ({"number": 1e6}, "number = 1000000.0; allowed: an integer"),
        ({"number": 10, "shard": 0}, "shard = 0; allowed: an integer from 1 up"),
    ],
)
def test_bad_arguments(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        small(tmp_path / "new").run(**arguments)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dt": 0.03}, "allowed: a multiple of dt"),
        ({"neuron": None}, "neuron is of type NoneType"),
        ({"prior": [1, 2]}, "prior is of type list"),
        ({"seed": -1}, "seed = -1"),
        ({"stimulus": step(3.0, 5.0, 60.0)}, "stop = 60 ms; allowed: at most the duration"),
    ],
)
def test_a_campaign_that_cannot_run_takes_no_folder(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        small(tmp_path / "new", **changes).run(10)
    assert not (tmp_path / "new").exists()


def test_a_simulation_that_fails_is_named_and_the_others_are_kept(tmp_path):
    prior = box_prior(Pospischil, ["V_init"], [-90.0], [-50.0])
    V_init = prior.draw(1000, 7)[:, 0]
    level = np.sort(V_init)[-2]

    def fails_once(sweep):
        return np.array([np.nan if sweep.V[0] > level else 1.0])

    with pytest.raises(ValueError, match=rf"simulation {V_init.argmax()} \(V_init = .*every statistic must be finite"):
        small(tmp_path, prior=prior, summarise=fails_once).run(1000, shard=100)
    made = Simulations(tmp_path)
    assert made.statistics == () and 0 < made.kept < 1000
    assert not any("damaged" in line for line in made.verify())


def test_reading_what_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        Simulations(tmp_path)
    made = small(tmp_path).run(10)
    for first, stop in ((0, 11), (-1, 5), (5, 5)):
        with pytest.raises(ValueError, match="(first|stop) = .*; allowed: an integer"):
            made.read(first, stop)


def test_files_that_overlap_count_once():
    def shard(first, stop):
        return Shard(first, stop, "0" * 16, Path())

    parts, gaps = cover([shard(0, 10), shard(5, 15), shard(0, 20), shard(30, 40), shard(35, 50)], 0, 60)
    assert [(part.first, part.stop) for part in parts] == [(0, 20), (30, 40), (40, 50)]
    assert parts[2].rows == slice(5, 15) and gaps == [(20, 30), (50, 60)]
    rng = np.random.default_rng(0)
    for _ in range(200):
        ends = np.sort(rng.integers(0, 100, (8, 2)), axis=1)
        files_there = [shard(int(a), int(b)) for a, b in ends if a < b]
        first, stop = sorted(int(end) for end in rng.choice(100, 2, replace=False))
        parts, gaps = cover(files_there, first, stop)
        read = [i for part in parts for i in range(part.first, part.stop)]
        there = {i for one in files_there for i in range(one.first, one.stop)} & set(range(first, stop))
        assert sorted(read) == sorted(there) and len(read) == len(set(read))
        assert {i for a, b in gaps for i in range(a, b)} == set(range(first, stop)) - there


# ------------------------------------------------------------------------------------------------------- the command


def test_the_command(tmp_path, capsys):
    folder = str(tmp_path / "spikes")
    how = "--vary g_Na=0.5:80 g_K=1e-4:15 --set noise=0.05 --step 3 5 45 --duration 50 --dt 0.025 --seed 7".split()
    assert campaign_command.main(["run", folder, "--number", "1e3", "--shard", "300", *how]) == 0
    said = capsys.readouterr()
    assert "1,000 simulations in" in said.out and "1.00k/1.00k" in said.err and "sim/s" in said.err
    assert campaign_command.main(["status", folder]) == 0
    assert "1,000 of 1,000 simulations in 4 files" in capsys.readouterr().out
    made = Simulations(folder)
    prior = box_prior(Pospischil, ["g_Na", "g_K"], [0.5, 1e-4], [80.0, 15.0])
    x = simulate_many(
        Pospischil(noise=0.05), step(3.0, 5.0, 45.0), prior.by_name(prior.draw(1000, 7)), 50.0, 0.025, seed=7
    )
    np.testing.assert_array_equal(made.read()[1], x)

    assert campaign_command.main(["verify", folder]) == 0
    made.shards[1].path.write_bytes(b"nothing")
    capsys.readouterr()
    assert campaign_command.main(["verify", folder]) == 1
    assert "damaged (7 bytes)\nsimulations 300 to 599: missing" in capsys.readouterr().out
    assert campaign_command.main(["run", folder, "--number", "1e3", "--vary", "g_Na=0.5:80"]) == 1
    assert "holds another campaign" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        campaign_command.main(["run", folder, "--number", "1.5", *how])


# -------------------------------------------------------------------------------------------------------- training


def test_training_from_files_gives_the_same_network(tmp_path, whole):
    made = small(tmp_path).run(N, shard=700)
    how = {"epochs": 3, "scaling": "auto", "model": "mdn"}
    ours = train_on(made, 1, **how)
    theirs = train_npe(PRIOR, *whole[1:], 1, statistics=made.statistics, **how)
    x_o = whole[2][5]
    np.testing.assert_array_equal(ours.sample(100, x_o, 0), theirs.sample(100, x_o, 0))
    np.testing.assert_array_equal(ours.losses[0], theirs.losses[0])
    np.testing.assert_array_equal(ours.network.scaling.lowest, theirs.network.scaling.lowest)
    assert list(tmp_path.iterdir()) and not list(tmp_path.glob("tmp*")), "the temporary files have gone"


def test_training_sees_the_same_rows_where_only_every_third_sets_the_scale(tmp_path, monkeypatch):
    import helpers.campaigns.training as on_files
    import helpers.inference.scaling as arrays

    made = small(tmp_path).run(1000, shard=130)
    for module in (arrays, on_files):
        monkeypatch.setattr(module, "MIN_ROWS", 333)
    ours, theirs = on_files._fitted(made, "rank"), arrays.Scaling.of(made.read()[1], "rank")
    for name, value in theirs.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[name], value)


def test_training_refuses_what_it_refuses_of_arrays(tmp_path):
    with pytest.raises(ValueError, match="40 simulations are too few to train on"):
        train_on(small(tmp_path / "few").run(40), 0)

    def silent(sweep):
        return np.array([0.0, 1.0])

    with pytest.raises(ValueError, match="give the same statistics"):
        train_on(small(tmp_path / "silent", summarise=silent).run(100), 0)


# ------------------------------------------------------------------------------------------------------ fingerprints


def made_from(text: str, name: str = "f"):
    """What a module of this text calls `name`: a function that was edited is one of another text."""
    names: dict = {"np": np, "njit": njit, "__name__": "__main__"}
    exec(compile(textwrap.dedent(text), "<cell>", "exec"), names)
    return names[name]


TEXT = """
    LEVEL = 3.0

    @njit
    def inner(x):
        return x * 2.0

    def middle(x, more=1.0):
        return inner(x) + more + LEVEL

    def f(x):
        '''What it does.'''
        return sum(middle(y) for y in (x, 0.5))
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [("x * 2.0", "x * 2.5"), ("LEVEL = 3.0", "LEVEL = 3"), ("more=1.0", "more=1.5"), ("(x, 0.5)", "(x, 0.25)"),
     ("@njit", "@njit(fastmath=True)"), ("inner(x) + more", "inner(x) - more"), ("sum(", "max(")],
)  # fmt: skip
def test_an_edit_anywhere_below_a_function_shows(old, new):
    assert fingerprint(made_from(TEXT)) == fingerprint(made_from(TEXT))
    assert old in TEXT and fingerprint(made_from(TEXT)) != fingerprint(made_from(TEXT.replace(old, new)))


@pytest.mark.parametrize(("old", "new"), [("What it does", "What it is for"), ("    def f", "    # why\n\n    def f")])
def test_comments_and_docstrings_do_not_show(old, new):
    assert fingerprint(made_from(TEXT)) == fingerprint(made_from(TEXT.replace(old, new)))


def test_data_show_by_their_bits():
    a = np.arange(6.0)
    b = a.copy()
    b[3] = np.nextafter(3.0, 4.0)
    different = [
        a,
        b,
        a.reshape(2, 3),
        a.astype(np.float32),
        a.tolist(),
        tuple(a),
        1,
        1.0,
        True,
        "1",
        b"1",
        None,
        {},
        {1},
    ]
    different += [{"a": 1}, {"b": 1}, CORRECTED, replace(CORRECTED, dt=0.1), PRIOR, PUBLISHED_PRIOR]
    different += [Pospischil(), Pospischil]
    assert len({fingerprint(thing) for thing in different}) == len(different)
    assert fingerprint(a) == fingerprint(a.copy()) and fingerprint({2, 1}) == fingerprint({1, 2})
    assert fingerprint(a[::2]) == fingerprint(a[::2].copy())
    assert fingerprint(Pospischil(g_K=4.0)) == fingerprint(Pospischil(g_K=4.0)) != fingerprint(Pospischil())


def test_what_a_function_has_captured_shows():
    def make(value):
        return lambda: value

    assert fingerprint(make(1.0)) == fingerprint(make(1.0)) != fingerprint(make(2.0))
    with pytest.raises(ValueError, match="a generator has no content"):
        fingerprint(make(x for x in "ab"))


def test_functions_that_call_each_other_and_themselves():
    text = "def f(n):\n    return g(n - 1) if n else 0\n\ndef g(n):\n    return f(n) * {}\n"
    first, again, other = (fingerprint(made_from(text.format(factor))) for factor in (2, 2, 3))
    assert first == again != other


def test_a_fingerprint_is_the_same_in_every_process_and_after_work(elsewhere):
    pickle.dumps(Pospischil())  # leaves a note of its own in the class
    assert fingerprint(CORRECTED, Pospischil(), summary_statistics) == elsewhere[1][0]


def test_the_data_of_a_campaign_are_told_by_its_key(tmp_path):
    one, same, other = (small(tmp_path / name, seed=seed).run(50) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
    assert isinstance(small(tmp_path / "a", seed=1).summarise, Summary)
