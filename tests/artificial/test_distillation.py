"""Teacher and student: spikes where the simulator puts them, a student that looks back only, marks that are known."""

import numpy as np
import pytest
import torch

from helpers.artificial.distillation import (
    NOISE,
    SpikeDataset,
    Student,
    evaluate_student,
    fit_student,
    make_spike_dataset,
    spike_probability,
)
from helpers.neurons.models import HodgkinHuxley
from helpers.simulation.single import simulate
from helpers.simulation.stimuli import Waveform


@pytest.fixture(scope="module")
def lesson() -> SpikeDataset:
    return make_spike_dataset(HodgkinHuxley(), seconds=20, seed=3)


def test_lesson_is_what_the_neuron_does(lesson):
    n = 2000
    held = Waveform(samples=np.append(np.repeat(lesson.current[:n], 100), 0.0), dt=0.01, start=0.0, stop=float(n))
    fine = simulate(HodgkinHuxley(), held, float(n), dt=0.01).spike_times  # at a fifth of the step
    coarse = np.flatnonzero(lesson.spikes[:n])
    assert len(fine) == len(coarse) > 10 and np.abs(fine - 0.5 - coarse).max() < 1.5
    assert abs(lesson.current.mean() - NOISE["mean"]) < 1.5 and lesson.current.std() == pytest.approx(
        NOISE["sd"], rel=0.1
    )


def test_a_second_seed_is_another_current():
    a, b = (make_spike_dataset(HodgkinHuxley(), seconds=2, seed=seed).current for seed in (1, 2))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.3


@pytest.mark.parametrize("depth", [0, 1, 4])
def test_student_looks_back_only(depth):
    torch.manual_seed(0)
    student, current = Student(depth), torch.randn(1, 300) * 10
    changed = current.clone()
    changed[0, 200:] += 5.0
    before, after = student(current), student(changed)
    assert torch.equal(before[0, :200], after[0, :200]) and not torch.allclose(before[0, 200:], after[0, 200:])


def test_marks_of_known_answers():
    class Known(Student):
        def __init__(self, answer):
            super().__init__(0)
            self.answer = torch.as_tensor(answer, dtype=torch.float32)[None]

        def forward(self, current):
            return self.answer

    random = np.random.default_rng(0)
    rate = np.repeat(random.uniform(0.0, 0.2, 100), 100)
    spikes = (random.random(10_000) < rate).astype(int)
    lesson = SpikeDataset(np.zeros(10_000), spikes)
    perfect = evaluate_student(Known(np.where(spikes, 20.0, -20.0)), lesson)
    assert perfect.AUC == 1.0 and perfect.correlation == pytest.approx(1.0)
    guess = evaluate_student(Known(random.standard_normal(10_000)), lesson)
    assert guess.AUC == pytest.approx(0.5, abs=0.05) and abs(guess.correlation) < 0.3
    knows_rate = evaluate_student(Known(np.log(rate / (1 - rate))), lesson)
    assert 0.6 < knows_rate.AUC < 0.9 and knows_rate.correlation > 0.8


@pytest.mark.slow
def test_learning_helps_and_is_repeatable(lesson):
    held_out = make_spike_dataset(HodgkinHuxley(), seconds=10, seed=4)
    marks = []
    for _ in range(2):
        torch.manual_seed(0)
        student = Student(2, width=8)
        blank = evaluate_student(student, held_out)
        fit_student(student, lesson, epochs=30, seed=0)
        marks.append(evaluate_student(student, held_out))
    assert marks[0] == marks[1]
    assert marks[0].AUC > blank.AUC + 0.2 and marks[0].correlation > 0.7
    p = spike_probability(student, held_out.current)
    assert p.sum() == pytest.approx(held_out.spikes.sum(), rel=0.35)
