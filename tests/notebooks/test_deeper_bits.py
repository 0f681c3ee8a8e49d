"""docs/deeper/bits: its sections alone, its cells again, and what its text says."""

import numpy as np
from support.sections import *  # noqa: F403
from support.whole import *  # noqa: F403

from helpers.artificial import mutual_information

NOTEBOOK = "docs/deeper/bits.ipynb"


def test_the_formula_is_the_one_of_the_series(lesson):
    table = np.random.default_rng(0).integers(0, 5, (6, 6)) + 0.0
    assert abs(lesson.values["bits"](table) - mutual_information(table)) < 1e-12


def test_what_the_codes_tell(lesson):
    told = {
        window: {code: d.information for code, d in codes.items()} for window, codes in lesson.values["told"].items()
    }
    assert round(told[10.0]["latency"], 1) == round(told[50.0]["count"], 1) == 1.4
    assert round(told[50.0]["interval"], 1) == 2.6 and told[200.0]["interval"] > 2.9
    assert max(told[10.0]["count"], told[10.0]["interval"]) < 0.3
    assert all(0.0 < d.chance < 0.15 for codes in lesson.values["told"].values() for d in codes.values())
