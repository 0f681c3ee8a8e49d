"""Steps of commands and of measured, noisy currents: found to a sample or two, or said."""

import numpy as np
import pytest
from scipy import signal
from support.builders import csv_file

from helpers.recordings.reading import read
from helpers.recordings.steps import doubts, find_steps, is_noisy

DT = 0.05  # ms
t = DT * np.arange(20_000)


def pulse(start, stop, level):
    return np.where((t >= start - 1e-9) & (t < stop - 1e-9), float(level), 0.0)


def noise(colour, sd, seed):
    """White noise, behind a filter of the amplifier, with a slow part, with the hum of the mains, or all of it slow."""
    x = np.random.default_rng(seed).normal(size=len(t))
    if colour == "filtered at 2 kHz":
        x = signal.lfilter(*signal.bessel(4, 0.2), x)
    elif colour == "pink":
        frequency = np.maximum(np.fft.rfftfreq(len(t)), 1 / len(t))
        x = np.fft.irfft(np.fft.rfft(x) / np.sqrt(frequency), len(t))
    elif colour == "hum":
        x = 0.5 * x + np.sqrt(2) * np.sin(2 * np.pi * 0.05 * t + 1)
    elif colour == "correlated":
        x = signal.lfilter([1], [1, -0.95], x)
    return sd * x / x.std()


COLOURS = ("white", "filtered at 2 kHz", "pink", "hum", "correlated")


def edges(steps):
    return [edge for step in steps for edge in (step.start, step.stop)]


@pytest.mark.parametrize("unit", [None, 0.3], ids=["float", "integers"])
@pytest.mark.parametrize("sd", [0.5, 1.5, 5.0])
@pytest.mark.parametrize("colour", COLOURS)
def test_a_step_in_noise_is_found_to_two_samples(colour, sd, unit):
    for seed, level in enumerate((100.0, -50.0)):
        if colour in ("pink", "correlated") and sd == 5.0 and level == -50.0:
            continue  # as large as what this noise does by itself: see below
        I = 3.0 + pulse(270, 770, level) + noise(colour, sd, seed)
        I = I if unit is None else unit * np.round(I / unit)
        steps = find_steps(t, I)
        assert edges(steps) == pytest.approx([270.0, 770.0], abs=2.01 * DT)
        assert steps[0].amplitude == pytest.approx(level, abs=0.5 + sd) and steps[0].constant


@pytest.mark.parametrize("sd", [1.5, 5.0, 15.0])
@pytest.mark.parametrize("colour", COLOURS)
def test_a_small_step_in_large_noise_is_found_or_said(colour, sd):
    for seed in range(4):
        I = pulse(270, 770, 10.0) + noise(colour, sd, seed)
        steps = find_steps(t, I)
        found = len(steps) == 1 and np.allclose(edges(steps), [270.0, 770.0], atol=3.01 * DT)
        assert found or doubts(t, I, steps), (seed, steps)


@pytest.mark.parametrize("colour", COLOURS)
def test_noise_alone_has_no_step_and_that_is_said(colour):
    for seed in range(5):
        I = noise(colour, 3.0, seed)
        assert find_steps(t, I) == ()
        assert "no step stands out of the noise of the current (SD 3 pA)" in doubts(t, I, ())[0]


@pytest.mark.parametrize("sd", [0.0, 0.5, 5.0])
@pytest.mark.parametrize(
    ("clean", "expected"),
    [
        (pulse(20, 30, -50) + pulse(270, 770, 100), [20, 30, 270, 770]),
        (pulse(100, 102, 500), [100, 102]),
        (pulse(100, 300, -50) + pulse(300, 500, 80), [100, 300, 300, 500]),
        (sum(pulse(100 * k, 500, 30) for k in (1, 2, 3)), [100, 200, 200, 300, 300, 500]),
        (sum(pulse(100 * k, 100 * k + 10, 100) for k in (1, 2, 3, 4)), [100, 110, 200, 210, 300, 310, 400, 410]),
        (pulse(400, 2000, 100), [400, 1000]),
        (pulse(0, 500, 100), [500, 1000]),
    ],
    ids=["test pulse", "brief", "side by side", "staircase", "train", "to the end", "from the start"],
)  # fmt: skip
def test_protocols(clean, expected, sd):
    I = clean + noise("white", sd, 1) if sd else clean
    assert edges(find_steps(t, I)) == pytest.approx(expected, abs=2.01 * DT)


@pytest.mark.parametrize(
    ("name", "late"), [("one pole, 0.1 ms", 0.1), ("one pole, 0.3 ms", 0.1), ("four poles, 2 kHz", 0.2)]
)
def test_a_filter_hardly_delays_a_step(name, late):
    """Where the current leaves its level counts, not where it is half way: 0.2 ms later with a pole of 0.3 ms."""
    if name.startswith("one"):
        decay = np.exp(-DT / float(name.split()[2]))
        I = signal.lfilter([1 - decay], [1, -decay], pulse(270, 770, 100))
    else:
        I = signal.lfilter(*signal.bessel(4, 0.2), pulse(270, 770, 100))
    found = np.array(edges(find_steps(t, I + noise("white", 1.5, 1)))) - [270.0, 770.0]
    assert (found > -DT / 2).all() and (found <= late + 1e-6).all()


def wave(name):
    inside = (t >= 200) & (t < 700)
    rough = np.random.default_rng(3).normal(size=len(t))
    return np.where(
        inside,
        {
            "ramp": (t - 200) / 500 * 200,
            "sine": 100 * np.sin(2 * np.pi * 0.005 * (t - 200)),
            "sine on a step": 100 + 50 * np.sin(2 * np.pi * 0.005 * (t - 200)),
            "chirp": 50 * np.sin(2 * np.pi * (t - 200) ** 2 / 20_000),
            "frozen noise": 30 * signal.lfilter(*signal.bessel(4, 0.2), rough),
            "slow frozen noise": signal.lfilter([1], [1, -0.99], 10 * rough),
        }[name],
        0.0,
    )


@pytest.mark.parametrize("unit", [None, 0.5], ids=["float", "integers"])
@pytest.mark.parametrize("name", ["ramp", "sine", "sine on a step", "chirp", "frozen noise", "slow frozen noise"])
def test_a_commanded_wave_is_one_step_that_is_not_constant(name, unit):
    I = wave(name) if unit is None else unit * np.round(wave(name) / unit)
    (step,) = find_steps(t, I)
    assert not step.constant
    assert step.start == pytest.approx(200.0, abs=4.0 if unit else 0.1) and step.stop == pytest.approx(700.0, abs=0.2)


@pytest.mark.parametrize("name", ["ramp", "sine", "slow frozen noise"])
def test_a_measured_wave_is_one_step_whose_ends_are_in_doubt(name):
    I = wave(name) + noise("white", 1.5, 1)
    steps = find_steps(t, I)
    assert len(steps) == 1 and not steps[0].constant
    assert edges(steps) == pytest.approx([200.0, 700.0], abs=5.01)
    assert doubts(t, I, steps) == (
        "a ramp or a wave in a measured current begins and ends within about 5 ms of the times found",
    )


def test_drift_is_no_step():
    for sd in (0.5, 1.5, 5.0):
        assert edges(find_steps(t, pulse(270, 770, 100) + 0.01 * t + noise("white", sd, 1))) == pytest.approx(
            [270, 770], abs=2.01 * DT
        )


def test_what_is_measured_and_what_is_commanded():
    assert is_noisy(t, noise("white", 1.0, 0)) and is_noisy(t, np.round(noise("white", 0.4, 0)))
    trains = pulse(0, 0, 0) + np.where(t // 2 % 2 == 1, 100.0, 0.0)  # 500 edges
    for command in (pulse(100, 200, 50), trains, wave("ramp"), wave("sine"), wave("frozen noise"), 0.0 * t):
        assert not is_noisy(t, command) and doubts(t, command, find_steps(t, command)) == ()


def test_reading_says_what_the_noise_hides(tmp_path):
    I = np.random.default_rng(0).normal(size=2000) * 3
    rows = "".join(f"{0.1 * k:.1f},-65,{x:.3f}\n" for k, x in enumerate(I))
    path = csv_file(tmp_path, "t (ms),V (mV),I (pA)\n" + rows)
    with pytest.warns(
        UserWarning, match=r"cell\.csv, sweep 0: no step stands out of the noise .*: start= and stop= give"
    ):
        trace = read(path)
    assert (trace.start, trace.stop) == (0.0, pytest.approx(200.0))
    assert read(path, start=50.0, stop=100.0).start == 50.0  # without a word
