"""The benchmarks: what they time must be right, and what cannot run must say why."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from support.oracles import hodgkin_huxley_slopes, pospischil, pospischil_slopes, seven_statistics, steady_state

from benchmarks import speed, workloads
from benchmarks.peer import Peer
from benchmarks.peers import ALL
from benchmarks.peers.numba_loops import seven_statistics_of_all
from benchmarks.worker import Failed, Worker


@pytest.fixture(autouse=True)
def threads_of_torch() -> Iterator[None]:
    """The pool of a peer in Numba sets them; the tests that come after in this process would take ten times as long."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trace() -> np.ndarray:
    """V of the cortical neuron at (50, 5) without noise, by LSODA."""
    V, state = [], steady_state(pospischil, -70.0)
    for first, last, current in ((0, 1000, 0.0), (1000, 11_000, 3.24806), (11_000, 12_000, 0.0)):
        t = np.arange(first, last + 1) * 0.01
        solution = solve_ivp(
            lambda t, y, current=current: pospischil_slopes(y, current),
            (t[0], t[-1]),
            state,
            method="LSODA",
            t_eval=t,
            rtol=1e-8,
            atol=1e-8,
        )
        state = list(solution.y[:, -1])
        V.append(solution.y[0, first > 0 :])
    return np.concatenate(V)


def wrong_training(n: int, shift: float):
    return lambda g_Na, g_K, noise: np.tile([5.0, -70.3, 0.01, -56.45 + shift, 375.0, 3.7, 18.3], (n, 1))


def wrong_single():
    return lambda: np.full(workloads.SINGLE_STEPS + 1, -65.0)


def breaks(n: int):
    raise RuntimeError("no such thing\nand more")


def test_the_reference_answer_is_accepted_and_so_are_its_statistics(trace: np.ndarray) -> None:
    assert workloads.check_training(trace[None]) == "5 spikes, -56.45 mV"
    expected = seven_statistics(np.arange(len(trace)) * 0.01, trace, 10.0, 110.0, 0.01)
    np.testing.assert_allclose(workloads.seven_statistics(trace), expected, rtol=1e-9)
    np.testing.assert_allclose(seven_statistics_of_all(trace[None])[0], expected, rtol=1e-9)


def test_noisy_traces_have_the_oracles_statistics(trace: np.ndarray) -> None:
    noisy = trace + np.random.default_rng(0).normal(0, 0.3, len(trace))
    expected = seven_statistics(np.arange(len(noisy)) * 0.01, noisy, 10.0, 110.0, 0.01)
    np.testing.assert_allclose(workloads.seven_statistics(noisy), expected, rtol=1e-9)


@pytest.mark.parametrize(("column", "value"), [(0, 4), (3, -56.10), (3, -56.80), (3, np.nan)])
def test_one_wrong_simulation_among_many_is_refused(trace: np.ndarray, column: int, value: float) -> None:
    answer = np.tile(workloads.seven_statistics(trace), (10, 1))
    answer[7, column] = value
    with pytest.raises(workloads.WrongAnswer, match="right: 5 spikes"):
        workloads.check_training(answer)


def test_ignoring_the_conductances_is_refused(trace: np.ndarray) -> None:
    with pytest.raises(workloads.WrongAnswer, match="100%"):
        workloads.check_prior(np.tile(workloads.seven_statistics(trace), (100, 1)))


def test_single_cell_needs_its_69_spikes_and_all_its_samples() -> None:
    solution = solve_ivp(
        lambda t, y: hodgkin_huxley_slopes(y, 10.0),
        (0, 1000),
        [-65.0, 0.0529, 0.5961, 0.3177],
        method="LSODA",
        t_eval=np.arange(100_001) * 0.01,
        rtol=1e-8,
        atol=1e-8,
    )
    V = solution.y[0]
    assert workloads.check_single(V) == "69 spikes"
    with pytest.raises(workloads.WrongAnswer, match="right: 69"):
        workloads.check_single(np.where(np.arange(len(V)) < 90_000, V, -65.0))
    with pytest.raises(workloads.WrongAnswer, match="right: 100001"):
        workloads.check_single(V[:50_000])


@pytest.mark.parametrize(
    ("peer", "workload", "reason"),
    [
        (Peer("off", "numpy", partial(wrong_training, shift=0.5)), "training", "wrong answer: 5 spikes, -55.95 mV"),
        pytest.param(
            Peer("silent", "numpy", single=wrong_single), "single", "wrong answer: 0 spikes", marks=pytest.mark.long
        ),
        pytest.param(
            Peer("broken", "numpy", breaks), "training", "RuntimeError: no such thing$", marks=pytest.mark.long
        ),
    ],
)
def test_a_worker_refuses_to_time_a_wrong_peer_and_tells_why_one_breaks(
    peer: Peer, workload: str, reason: str
) -> None:
    with pytest.raises(Failed, match=reason):
        Worker(peer, workload, quick=True)


def test_a_missing_package_or_program_is_a_reason() -> None:
    assert Peer("absent", "no-such-package").available() == "no-such-package is not installed"
    assert Peer("no compiler", "numpy", program="no-such-program").available() == "no-such-program is not on the PATH"
    assert Peer("here", "numpy").available() is None


@pytest.mark.long
def test_a_quick_run_prints_a_row_per_peer_and_a_reason_for_the_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = Peer("absent", "no-such-package", breaks)
    monkeypatch.setattr(speed, "ALL", (*ALL, absent))
    assert speed.main(["--quick", "--only", "NumPy, 1,000", "workers", "floats", "absent"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert all(len(row) == len(speed.COLUMNS) for row in rows)
    by_name = {row[0]: row for row in rows[2:]}
    assert len(by_name) == 4
    assert by_name[speed.OURS][5] == by_name[speed.OURS][7] == "1.00"
    assert "5 spikes, -56.45 mV; 69 spikes" in by_name[speed.OURS]
    assert by_name["Python floats"][4] == "" and by_name["NumPy, 1,000 at once"][6] == ""
    assert lines[-1] == "Not timed: absent, training set: no-such-package is not installed"
    assert "AVX" in lines[0]


def test_names_are_unique_and_the_list_tells_what_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    assert len({peer.name for peer in ALL}) == len(ALL)
    assert speed.main(["--list"]) == 0
    assert f"{speed.OURS}: ready" in capsys.readouterr().out.splitlines()
    with pytest.raises(SystemExit, match="no peer is called nobody"):
        speed.main(["--only", "nobody"])


@pytest.mark.parametrize(("x", "text"), [(1.234, "1.23"), (17_290, "17,300"), (0.87, "0.87"), (56.4, "56"), (None, "")])
def test_digits(x: float | None, text: str) -> None:
    assert speed.digits(x) == text
