"""Compiled building blocks of the simulator: an exponential, one exponential-Euler step, and random numbers.

All of it is plain arithmetic without branches or library calls, so that the compiler can work on many neurons with
one instruction (a call to the C library's exp would stop that). The polynomials interpolate their function at
Chebyshev nodes; tests/test_kernels.py measures the errors stated here.
"""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["LOOP_OPTIONS", "OPTIONS", "exp", "random_keys", "relaxation", "sqrt", "standard_normals", "where"]

# Only flags that cannot change a finite result: the same bits for one neuron or 64 at a time, on any processor. What
# a multiply-add instruction saves is asked for by name (`fma`). NaN is looked for outside the time loop. Division by
# zero gives infinity, as in NumPy: a check in the loop would stop the vector instructions.
_COMMON = {"fastmath": {"nnan", "ninf", "nsz"}, "error_model": "numpy"}
OPTIONS = {**_COMMON, "forceinline": True}  # of every function called inside the time loop
LOOP_OPTIONS = {**_COMMON, "nogil": True, "cache": True}  # of the time loop


@intrinsic
def _to_bits(typingctx, x):
    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic
def _from_bits(typingctx, n):
    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@intrinsic
def fma(typingctx, x, y, z):
    """x·y + z, rounded once."""

    def codegen(context, builder, signature, args):
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), codegen


@njit(**OPTIONS)
def where(condition, yes, no):
    """`yes` where the condition holds, else `no`: both are computed, one is taken."""
    return yes if condition else no


@njit(**OPTIONS)
def sqrt(x):
    return math.sqrt(x)


@njit(**OPTIONS)
def exp(x):
    """exp(x) to a relative error of 2e-15 for |x| <= 700; beyond, the value at the bound."""
    x = 700.0 if x > 700.0 else x
    x = -700.0 if x < -700.0 else x
    # Adding 1.5·2^52 rounds x/ln2 to an integer k and leaves k in the low bits.
    shifted = fma(x, 1.4426950408889634, 6755399441055744.0)
    k = shifted - 6755399441055744.0
    r = fma(k, -0.6931471803691238, x)
    r = fma(k, -1.9082149292705877e-10, r)
    q = 2.761380686153829e-07
    q = fma(q, r, 2.762511557828763e-06)
    q = fma(q, r, 2.4801536388690766e-05)
    q = fma(q, r, 0.00019841208732536384)
    q = fma(q, r, 0.0013888888905881542)
    q = fma(q, r, 0.008333333353729397)
    q = fma(q, r, 0.04166666666665136)
    q = fma(q, r, 0.1666666666664829)
    q = fma(q, r, 0.5)
    q = fma(q, r, 1.0)
    q = fma(q, r, 1.0)
    return _from_bits(_to_bits(q) + (_to_bits(shifted) << 52))


@njit(**OPTIONS)
def relaxation(z, doublings):
    """(1 - exp(-z)) / z for 0 <= z <= 0.5·2^doublings, to a relative error of 1e-13, without dividing by z.

    A polynomial on [0, 0.5] and the rule for twice the argument: phi(2w) = phi(w)·(1 - w·phi(w)/2).
    """
    w = z
    for _ in range(doublings):
        w = 0.5 * w
    q = 2.2597816783633676e-06
    q = fma(q, w, -2.4412792929817264e-05)
    q = fma(q, w, 0.0001982510497268382)
    q = fma(q, w, -0.001388851375288281)
    q = fma(q, w, 0.00833332858731982)
    q = fma(q, w, -0.04166666637109706)
    q = fma(q, w, 0.1666666666596422)
    q = fma(q, w, -0.4999999999999726)
    q = fma(q, w, 1.0)
    for _ in range(doublings):
        q = q * fma(-0.5 * w, q, 1.0)
        w = w + w
    return q


@njit(forceinline=True)
def _mix(n):
    """The output function of splitmix64 (Steele, Lea & Flood 2014): every input bit reaches every output bit."""
    n = (n ^ (n >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    n = (n ^ (n >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return n ^ (n >> np.uint64(31))


@njit(cache=True)
def random_keys(seed, simulations):
    """The 64-bit keys (n,) of the random numbers of `simulations` (n,), whole numbers."""
    base = _mix(np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15))
    keys = np.empty(len(simulations), np.uint64)
    for i in range(len(simulations)):
        keys[i] = _mix(base + np.uint64(simulations[i]))
    return keys


@njit(**OPTIONS)
def standard_normals(key, counter):
    """Two independent N(0, 1) numbers that depend only on (key, counter): Box & Muller (1958) on a hashed counter.

    Uniforms of 32 bits, so that values reach ±6.6; logarithm, sine and cosine to an absolute error of 1e-7.
    """
    word = _mix(key + np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15))
    one = np.int64(0x3FF0000000000000)
    first = _from_bits(np.int64((word >> np.uint64(32)) << np.uint64(20)) | one)  # in [1, 2)
    second = _from_bits(np.int64((word & np.uint64(0xFFFFFFFF)) << np.uint64(20)) | one)
    radius = math.sqrt(-2.0 * _log(2.0 - first))
    quarter = 0.5 * (second - 1.5)  # half the angle, in turns, within ±1/4
    square = quarter * quarter
    sine = 39.7598270853191
    sine = fma(sine, square, -76.58117264427872)
    sine = fma(sine, square, 81.60247636892518)
    sine = fma(sine, square, -41.34168061334652)
    sine = quarter * fma(sine, square, 6.283185280154407)
    cosine = 56.238700435296806
    cosine = fma(cosine, square, -85.23987025839904)
    cosine = fma(cosine, square, 64.93457265220157)
    cosine = fma(cosine, square, -19.739171209957835)
    cosine = fma(cosine, square, 0.9999999530275123)
    return radius * (2.0 * sine * cosine), radius * (1.0 - 2.0 * sine * sine)


@njit(**OPTIONS)
def _log(x):
    """Natural logarithm of 0 < x <= 1 to a relative error of 1e-8 (it only shapes random numbers)."""
    bits = _to_bits(x)
    # The exponent field as a float, by writing it into the low bits of 2^52.
    exponent = _from_bits((bits >> 52) | np.int64(0x4330000000000000)) - 4503599627370496.0 - 1023.0
    mantissa = _from_bits((bits & np.int64(0x000FFFFFFFFFFFFF)) | np.int64(0x3FF0000000000000))
    high = mantissa > 1.4142135623730951
    exponent = exponent + 1.0 if high else exponent
    f = 0.5 * mantissa - 1.0 if high else mantissa - 1.0
    q = -0.07451186226757509
    q = fma(q, f, 0.12806610435006952)
    q = fma(q, f, -0.1326603136091708)
    q = fma(q, f, 0.14199650097916022)
    q = fma(q, f, -0.16608369414088409)
    q = fma(q, f, 0.20000939440373094)
    q = fma(q, f, -0.2500157909915946)
    q = fma(q, f, 0.33333345349807464)
    q = fma(q, f, -0.49999988496142866)
    q = fma(q, f, 0.999999999383255)
    return exponent * 0.6931471805599453 + q * f
