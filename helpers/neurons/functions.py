"""The functions that the equations of a neuron may use, besides plain arithmetic.

Here they work on numbers and NumPy arrays. `simulation.compiler.kernels` has their compiled counterparts; `sin` is
compiled from the text below.
"""

from __future__ import annotations

from numpy import exp, expm1, sqrt, where

__all__ = ["exp", "expm1", "linoid", "sin", "sqrt", "where"]


def linoid(z):
    """Return z / (exp(z) - 1), the shape of many opening rates, with its limit 1 at z = 0, where the formula is 0/0.

    A rate that papers write as k·(V - V_0) / (1 - exp(-(V - V_0)/s)) is k·s·linoid(-(V - V_0)/s). The field also calls
    it vtrap: in NEURON, vtrap(x, y) = y·linoid(x/y).

    Parameters
    ----------
    z
        Number or array, without unit.
    """
    return (z + 1e-30) / (expm1(z) + 1e-30)


def sin(x):
    """Return the sine of x [rad]: to 1e-14 for |x| <= 1e5 in double precision, to 5e-7 for |x| <= 100 in single.

    sin(x) = ±sin(r) where x = k·π + r with |r| <= π/2; a polynomial interpolates the sine of r.
    """
    whole = where(1.0 + 1e-9 > 1.0, 6755399441055744.0, 12582912.0)  # 1.5·2^52, or 1.5·2^23 in single precision:
    k = (x * 0.3183098861837907 + whole) - whole  # adding and subtracting it rounds to an integer
    odd = k - 2.0 * ((0.5 * k + whole) - whole)  # ±1 where k is odd, else 0
    r = (x - k * 3.140625) - k * 0.0009676535897932385  # π in two parts, the first times k without rounding error
    u = r * r
    q = 2.755731805475644e-06 + u * (-2.505197284086259e-08 + u * (1.60509690477946e-10 - u * 7.408007795516067e-13))
    q = -0.1666666666666665 + u * (0.008333333333325924 + u * (-0.00019841269836464245 + u * q))
    return (r + r * u * q) * (1.0 - 2.0 * odd * odd)
