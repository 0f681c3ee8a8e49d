"""docs/deeper/integrators: its sections alone, its cells again, and what its text says."""

import numpy as np
from support.sections import *  # noqa: F403
from support.whole import *  # noqa: F403

from helpers import HodgkinHuxley, simulate, step, widgets
from helpers.simulation import TABLEAUS

NOTEBOOK = "docs/deeper/integrators.ipynb"


def test_methods_have_the_stages_and_the_orders_that_are_counted_with(lesson):
    errors = {name: np.array(error) for name, error in lesson.values["errors"].items()}
    for name, order in {"euler": 1, "rk4": 4, "rk5": 5, "rk6": 6}.items():
        measured = np.log2(errors[name][-2] / errors[name][-1])
        assert abs(measured - order) < 0.2 and TABLEAUS[name].order == order
        assert lesson.values["price"][name][0] * 0.04 == len(TABLEAUS[name].b)


def test_the_sums_hold_up_to_the_order_of_a_method_and_no_further(lesson):
    first_sum, second_sum = lesson.values["first_sum"], lesson.values["second_sum"]
    for tableau in (TABLEAUS["rk5"], TABLEAUS["rk6"]):
        for k in range(1, 8):
            due = first_sum(tableau, k) * k == 1 and second_sum(tableau, k) * np.prod(range(1, k + 1)) == 1
            assert due == (k <= tableau.order)


def test_the_limit_of_RK4(lesson):
    R = np.polynomial.Polynomial([1, -1, 1 / 2, -1 / 6, 1 / 24])
    assert abs(R(2.784)) < 1 < abs(R(2.786))
    limits = 2.785 / lesson.values["fastest"]
    assert 0.55 < limits[0] < 0.65 and limits.min() < 0.08
    assert np.isnan(lesson.values["values"]).all()
    assert len(simulate(HodgkinHuxley(), step(10.0, 5.0, 95.0), 100.0, dt=0.05, method="rk4").spike_times) == 7


def last_spike_late(method: str, dt: float) -> float:
    return abs(float(widgets.run_integrator(method, dt).late[-1]))


def test_the_answers_to_the_explorer():
    assert 1.6 < last_spike_late("euler", 0.05) / last_spike_late("euler", 0.025) < 2.0
    assert 3.8 < last_spike_late("exponential_euler", 0.05) / last_spike_late("exponential_euler", 0.025) < 4.2
    late = [last_spike_late(method, 0.05) for method in ("euler", "exponential_euler", "rk4")]
    assert [float(f"{value:.1g}") for value in late] == [0.03, 0.04, 4e-5] and 500 < late[0] / late[2] < 700
    assert "unstable" in widgets.run_integrator("rk4", 0.1).failure
    assert "at most 0.05 ms" in widgets.run_integrator("euler", 0.1).failure
    assert 2.3 < widgets.run_integrator("exponential_euler", 0.025).error.max() < 2.5  # the still picture


def test_single_precision_matters_in_small_steps_only():
    single, double = (
        [widgets.run_integrator("exponential_euler", dt, precision).error.max() for dt in (0.05, 0.001)]
        for precision in ("single", "double")
    )
    assert abs(single[0] / double[0] - 1) < 0.01 and 5 < single[1] / double[1] < 20
