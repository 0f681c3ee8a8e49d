"""The fixed-step integrators: Runge-Kutta tableaus in exact fractions, and exponential Euler.

A Runge-Kutta method of s stages evaluates the slopes k_1 ... k_s at t + c_i·dt and x + dt·(a_i1·k_1 + ...), and steps
by dt·(b_1·k_1 + ... + b_s·k_s). Its order is how many terms of the exact solution's series it gets right; it can be
checked in exact arithmetic; tests/simulation/test_integrators.py does so (Butcher 2016, Numerical Methods for ODEs,
ch. 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

__all__ = ["EXPONENTIAL_EULER", "METHODS", "TABLEAUS", "Tableau"]


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method: rows `a` (s rows, strictly lower triangular), weights `b`, and its order."""

    a: tuple[tuple[Fraction, ...], ...]
    b: tuple[Fraction, ...]
    order: int

    @property
    def c(self) -> tuple[Fraction, ...]:
        """Where in the step each stage lies, 0 to 1."""
        return tuple(sum(row, Fraction(0)) for row in self.a)


def _tableau(order: int, *rows: str) -> Tableau:
    *a, b = ([Fraction(entry) for entry in row.split()] for row in rows)
    return Tableau(tuple(tuple(row) for row in a), tuple(b), order)


TABLEAUS: Mapping[str, Tableau] = MappingProxyType(
    {
        # Euler 1768
        "euler": _tableau(1, "", "1"),
        # Kutta 1901, the classical method
        "rk4": _tableau(4, "", "1/2", "0 1/2", "0 0 1", "1/6 1/3 1/3 1/6"),
        # Six stages, sold as "RK6" by some libraries: six stages give order 5 and no more (Butcher 1964).
        "rk5": _tableau(
            5,
            "",
            "1/5",
            "3/40 9/40",
            "3/10 -9/10 6/5",
            "3/40 27/40 -3/5 3/4",
            "107/162 5/2 -140/27 35/9 -70/81",
            "8/81 0 25/63 25/108 25/81 -1/28",
        ),
        # Butcher 1964, J Austral Math Soc 4:179: order 6 takes seven stages.
        "rk6": _tableau(
            6,
            "",
            "1/3",
            "0 2/3",
            "1/12 1/3 -1/12",
            "-1/16 9/8 -3/16 -3/8",
            "0 9/8 -3/8 -3/4 1/2",
            "9/44 -9/11 63/44 18/11 0 -16/11",
            "11/120 0 27/40 27/40 -4/15 -4/15 11/120",
        ),
    }
)

# Rush & Larsen 1978, IEEE Trans Biomed Eng 25:389: each state relaxes exactly while the others stand still.
EXPONENTIAL_EULER = "exponential_euler"

METHODS = (EXPONENTIAL_EULER, *TABLEAUS)
