"""The benchmark of inference must call a good posterior good, and name what is wrong with a bad one."""

from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import inference as bench

SMALL = bench.Sizes(points=60, repeats=300, abc=60_000, compared=500)


@dataclass
class Widened:
    """A reference with its SD times `width`, as the result of rounds."""

    exact: object
    width: float

    def sample(self, n, x_o, seed):
        drawn = self.exact.sample(n, x_o, seed)
        return drawn.mean(axis=0) + self.width * (drawn - drawn.mean(axis=0))


ORIGINAL = bench.reference_at


def with_five_spikes(theta, seed):
    """Statistics (n, 3): a count, and both parameters with noise."""
    noise = np.random.default_rng(seed).standard_normal(theta.shape)
    return np.column_stack([np.full(len(theta), 5.0), theta + noise * [0.5, 0.1]])


@cache
def exact_of(x_o, seed, sizes):
    return ORIGINAL(np.array(x_o), seed, sizes)


@pytest.mark.parametrize(
    ("width", "simulations", "verdict"), [(1.0, 9000, "yes"), (1.6, 11_000, "NO: C2ST, SD, simulations")]
)
@pytest.mark.filterwarnings("ignore:two references of different kinds")  # with so few simulations they may
def test_rounds_are_judged_by_the_references(width, simulations, verdict, monkeypatch):
    """On a problem of normal noise: tests/inference tries the references at a neuron."""
    def exact_once(x_o, seed, sizes):
        """The reference is the same for both verdicts."""
        return exact_of(tuple(x_o), seed, sizes)

    def pretended(simulate, prior, x_o, seed):
        exact = exact_once(x_o, 100, SMALL).likelihood
        return SimpleNamespace(posterior=Widened(exact, width), n_simulations=simulations)

    monkeypatch.setattr(bench, "simulate", with_five_spikes)
    monkeypatch.setattr(bench, "reference_at", exact_once)
    monkeypatch.setattr(bench, "truncated_rounds", pretended)
    monkeypatch.setattr(bench, "SEEDS", 1)
    cells = [cell.strip() for cell in list(bench.rounds(SMALL, 0, truths=[0]))[-1].strip("| ").split("|")]
    assert (cells[0], cells[1], cells[7], cells[-1]) == ("50, 5", "5", f"{simulations:,}", verdict)
    assert float(cells[3].split()[0]) < 0.6
    assert [float(ratio) for ratio in cells[5].split(",")] == pytest.approx([width] * 2, rel=0.1)


def test_the_sharpened_network_is_judged_in_the_same_way(monkeypatch):
    samples = [np.random.default_rng(k).normal(size=(600, 2)) for k in (1, 2)]
    exact = SimpleNamespace(samples=samples, c2st=0.5, agree=True)

    def pretended(network, simulate, x_o, seed):
        drawn = np.random.default_rng(3).normal(size=(600, 2))
        return SimpleNamespace(sample=lambda n, x_o, seed: drawn + 3.0 * (seed > 1000), n_simulations=3000)

    monkeypatch.setattr(bench, "observed", lambda number, seed, sizes: (np.array([5.0]), exact))
    monkeypatch.setattr(bench, "sharpened", pretended)
    monkeypatch.setattr(bench, "SEEDS", 1)
    lines = list(bench.sharpened_network(SMALL, 0, [0, 1]))[-2:]
    good, bad = (line.strip("| ").split("|")[-1].strip() for line in lines)
    assert (good, bad) == ("yes", "NO: C2ST")


@pytest.mark.parametrize(
    ("p", "simulations", "verdict"), [(0.4, 19_000, "yes"), (0.001, 21_000, "NO: calibration, simulations")]
)
def test_eight_parameters_are_judged_by_the_calibration_near_them(p, simulations, verdict, monkeypatch):
    network = bench.load_or_train(bench.RECIPES["eight-two-steps-and-timing"])

    def half_as_wide(n, x_o, seed):
        drawn = network.sample(n, x_o, seed)
        return drawn.mean(axis=0) + (drawn - drawn.mean(axis=0)) / 2

    result = SimpleNamespace(posterior=SimpleNamespace(sample=half_as_wide), n_simulations=simulations)

    def pretended(posterior, *_, **more):
        width = np.array([1.4, 1.1]) if posterior is result else np.array([3.0, 2.0])
        found = p if posterior is result else 1e-9
        return SimpleNamespace(width=width, p=found, c2st=0.51, passed=lambda: found > 0.05)

    monkeypatch.setattr(bench, "truncated_rounds", lambda *_, **more: result)
    monkeypatch.setattr(bench, "local_calibration", pretended)
    cells = [cell.strip() for cell in list(bench.eight(bench.QUICK, 1))[-1].strip("| ").split("|")]
    assert 2 <= int(cells[1]) <= 30 and cells[2] == "2.0 (2.0 to 2.0)"
    assert (cells[4], cells[5]) == (f"1.10 (1.40), {p:.1g}, 0.51", "2.00 (3.00), 1e-09, 0.51")
    assert (cells[6], cells[-1]) == (f"{simulations:,}", verdict)


def test_unknown_parts_are_refused(capsys):
    with pytest.raises(SystemExit):
        bench.main(["--only", "magic"])
    assert "invalid choice: 'magic'" in capsys.readouterr().err
