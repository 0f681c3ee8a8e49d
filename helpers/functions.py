"""The functions that the equations of a neuron may use, besides plain arithmetic.

Here they work on numbers and NumPy arrays. `compiler.py` gives the same names a compiled meaning; functions built
from others (`linoid`, ...) are compiled from the very text below.
"""

from __future__ import annotations

from numpy import exp, sqrt, where

__all__ = ["exp", "linoid", "sqrt", "where"]


def linoid(z):
    """z / (exp(z) - 1), the shape of many opening rates, with its limit 1 at z = 0.

    Near 0 the formula is 0/0; there the series 1 - z/2 + z²/12 - z⁴/720 takes over (error below 1e-16 at |z| < 0.01).
    """
    small = abs(z) < 0.01
    safe = where(small, 1.0, z)
    series = 1.0 - z * (0.5 - z * (1.0 / 12.0 - z * z * (1.0 / 720.0)))
    return where(small, series, safe / (exp(safe) - 1.0))
