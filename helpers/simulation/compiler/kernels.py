"""Building blocks of the generated code: exponentials, the exponential-Euler update, and random numbers.

All of it is plain arithmetic without branches or library calls, so that LLVM can process many neurons with one
instruction (a call to the C library's exp would prevent that). The polynomials interpolate their function at
Chebyshev nodes; tests/simulation/test_kernels.py measures the errors stated here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = [
    "GENERATED_OPTIONS",
    "LOOP_OPTIONS",
    "OPTIONS",
    "exp",
    "expm1",
    "fma",
    "random_keys",
    "relaxation",
    "sqrt",
    "standard_normals",
    "where",
]

# Only flags that cannot change a finite result: the same bits for one neuron or 64 at a time, on any processor. What
# a multiply-add instruction saves is asked for by name (`fma`). NaN is looked for outside the time loop. Division by
# zero gives infinity, as in NumPy: a check in the loop would stop the vector instructions.
_COMMON: dict[str, Any] = {"fastmath": {"nnan", "ninf", "nsz"}, "error_model": "numpy"}
OPTIONS = {**_COMMON, "forceinline": True}  # of every function called inside the time loop
# Of those that are generated: nothing but the time loop calls them. The wrappers would take half of the compilation.
GENERATED_OPTIONS = {**OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
LOOP_OPTIONS = {**_COMMON, "nogil": True, "cache": True}  # of the time loop


def _same_bits(source, target):
    """An intrinsic that reads the bits of a `source` number as a `target` number."""

    def typed(typingctx, x):
        def codegen(context, builder, signature, args):
            return builder.bitcast(args[0], context.get_value_type(target))

        return target(source), codegen

    return intrinsic(typed)


_to_bits, _from_bits = _same_bits(types.float64, types.int64), _same_bits(types.int64, types.float64)
_to_bits_single, _from_bits_single = _same_bits(types.float32, types.int32), _same_bits(types.int32, types.float32)


@intrinsic
def fma(typingctx, x, y, z):
    """x·y + z, rounded once, in the precision of x."""

    def codegen(context, builder, signature, args):
        return builder.fma(*args)

    return x(x, x, x), codegen


fma_single = fma


def _extreme(name):
    """The smaller or larger of two numbers as one instruction (a conditional expression would become three)."""

    def typed(typingctx, x, y):
        def codegen(context, builder, signature, args):
            kind = args[0].type
            two = ir.FunctionType(kind, [kind, kind])
            function = builder.module.declare_intrinsic(f"llvm.{name}num", [kind], two)
            return builder.call(function, args, fastmath=("nnan",))

        return x(x, x), codegen

    return intrinsic(typed)


smaller, larger = _extreme("min"), _extreme("max")


@njit(**OPTIONS)
def where(condition, yes, no):
    """`yes` where the condition holds, else `no`: both are computed, one is taken."""
    return yes if condition else no


@njit(**OPTIONS)
def sqrt(x):
    """The square root of x."""
    return math.sqrt(x)


@njit(**OPTIONS)
def _power_of_two(x):
    """For |x| <= 700: 2^k, and exp(r) - 1 of what remains, where x = k·ln2 + r with |r| <= ln2/2."""
    # Adding 1.5·2^52 rounds x/ln2 to the integer k and leaves k in the low bits, to be moved to the exponent.
    shifted = fma(x, 1.4426950408889634, 6755399441055744.0)
    r = fma(shifted - 6755399441055744.0, -0.6931471805599453, x)
    r2 = r * r  # in pairs (Estrin): several short chains instead of a long one
    low = fma(fma(0.008333333344209506, r, 0.041666666786337556), r2, fma(0.16666666666662583, r, 0.4999999999995507))
    high = fma(2.761757684835413e-06, r, 2.4867883453521802e-05)
    high = fma(high, r2, fma(0.00019841224581544105, r, 0.001388883909064138))
    rest = fma(fma(high, r2 * r2, low), r2, r)
    return _from_bits((_to_bits(shifted) << 52) + np.int64(0x3FF0000000000000)), rest


@njit(**OPTIONS)
def bounded_exp(x, share):
    """exp(x) to a relative error of 2e-13 for |x| <= 700·share; beyond, the value at the bound."""
    power, rest = _power_of_two(larger(smaller(x, 700.0 * share), -700.0 * share))
    return fma(power, rest, power)


@njit(**OPTIONS)
def exp(x):
    """exp(x) to a relative error of 2e-13 for |x| <= 700; beyond, the value at the bound."""
    return bounded_exp(x, 1.0)


@njit(**OPTIONS)
def linoid(z):
    """Return z / (exp(z) - 1), or its limit 1 at z = 0, to a relative error of 2e-12."""
    return linoid_given(z, 1.0, exp(z))


@njit(**OPTIONS)
def linoid_given(z, k, e):
    """linoid(z) where exp(z) = k·e. Near 0, where k·e - 1 would lose its digits, a polynomial in z²."""
    w = z * z
    series = fma(3.299141550241532e-05, w, -0.0013888870765003199)
    series = fma(series, w, 0.08333333332704088)
    series = fma(series, w, fma(-0.5, z, 1.0))
    return where(w < 0.0625, series, z / fma(k, e, -1.0))


@njit(**OPTIONS)
def expm1(x):
    """exp(x) - 1 to a relative error of 2e-13, also close to 0; for |x| > 700 the value at the bound."""
    power, rest = _power_of_two(larger(smaller(x, 700.0), -700.0))
    return fma(power, rest, power - 1.0)


@njit(**OPTIONS)
def relaxation(z, halvings):
    """(1 - exp(-z)) / z for 0 <= z <= 2^halvings / 2, to a relative error of 2e-12, without dividing by z.

    A polynomial on [0, 1/2] or [0, 2], and the rule for twice the argument: phi(2w) = phi(w)·(1 - w·phi(w)/2). From
    nine halvings on it holds for all z, as the limit for large z is 1/z.
    """
    if halvings < 2:
        w2 = z * z
        low = fma(fma(-0.0416666527637577, z, 0.16666666623335183), w2, fma(-0.4999999999977904, z, 1.0))
        high = fma(-2.04546605776332e-05, z, 0.00019552697329987)
        high = fma(high, w2, fma(-0.0013879215401993456, z, 0.008333165614689341))
        return fma(high, w2 * w2, low)
    w = z
    for _ in range(halvings - 2):
        w = 0.5 * w
    w2 = w * w
    w4 = w2 * w2
    low = fma(fma(-0.0416666664897942, w, 0.1666666666578507), w2, fma(-0.49999999999992717, w, 1.0))
    middle = fma(-0.0013888832868869181, w, 0.0083333319456037)
    middle = fma(fma(-2.4781934569324427e-05, w, 0.00019839944975123266), w2, middle)
    high = fma(-2.6370333701756153e-07, w, 2.736831222531773e-06)
    high = fma(fma(-9.134532588582497e-10, w, 2.0272097410316314e-08), w2, high)
    q = fma(fma(high, w4, middle), w4, low)
    for _ in range(halvings - 2):
        q = q * fma(-0.5 * w, q, 1.0)
        w = w + w
    return where(z < 256.0, q, 1.0 / z) if halvings >= 9 else q


@njit(**OPTIONS)
def out_of_bounds(x):
    """Whether x is NaN, infinite or beyond ±2^20, told from its bits: comparisons here may take NaN for granted."""
    return (_to_bits(np.float64(x)) >> 52) & np.int64(0x7FF) >= 1023 + 20


# The same by the C library, without shortcuts: the reference in the tests.


@njit(**OPTIONS)
def fma_plain(x, y, z):
    return x * y + z


@njit(**OPTIONS)
def exp_plain(x):
    return math.exp(x)


@njit(**OPTIONS)
def linoid_plain(z):
    return z / math.expm1(z) if z != 0.0 else 1.0


@njit(**OPTIONS)
def expm1_plain(x):
    return math.expm1(x)


@njit(**OPTIONS)
def relaxation_plain(z, halvings):
    return -math.expm1(-z) / z if z > 0.0 else 1.0


# Single precision: the same with 24 bits, about 1e-7.


_f = np.float32


@njit(**OPTIONS)
def _power_of_two_single(x):
    shifted = fma_single(x, _f(1.4426950408889634), _f(12582912.0))
    k = shifted - _f(12582912.0)
    r = fma_single(k, _f(-0.693359375), x)
    r = fma_single(k, _f(2.12194440e-4), r)
    q = fma_single(_f(0.0013926183587713494), r, _f(0.008363179052722578))
    q = fma_single(q, r, _f(0.041666554617204574))
    q = fma_single(q, r, _f(0.16666576989698775))
    q = fma_single(q, r, _f(0.5))
    rest = fma_single(q, r * r, r)
    bits = (_to_bits_single(shifted) << np.int32(23)) + np.int32(0x3F800000)
    return _from_bits_single(np.int32(bits)), rest


@njit(**OPTIONS)
def bounded_exp_single(x, share):
    """exp(x) to a relative error of 2e-7 for |x| <= 87·share; beyond, the value at the bound."""
    power, rest = _power_of_two_single(larger(smaller(x, _f(87.0) * share), _f(-87.0) * share))
    return fma_single(power, rest, power)


@njit(**OPTIONS)
def exp_single(x):
    """exp(x) to a relative error of 2e-7 for |x| <= 87; beyond, the value at the bound."""
    return bounded_exp_single(x, _f(1.0))


@njit(**OPTIONS)
def linoid_single(z):
    return linoid_given_single(z, _f(1.0), exp_single(z))


@njit(**OPTIONS)
def linoid_given_single(z, k, e):
    w = z * z
    series = fma_single(_f(-0.001388861), w, _f(0.083333333))
    series = fma_single(series, w, fma_single(_f(-0.5), z, _f(1.0)))
    return where(w < _f(0.0625), series, z / fma_single(k, e, _f(-1.0)))


@njit(**OPTIONS)
def expm1_single(x):
    """exp(x) - 1 to a relative error of 4e-7, also close to 0."""
    power, rest = _power_of_two_single(larger(smaller(x, _f(87.0)), _f(-87.0)))
    return fma_single(power, rest, power - _f(1.0))


@njit(**OPTIONS)
def relaxation_single(z, halvings):
    """(1 - exp(-z)) / z as `relaxation`, to a relative error of 6e-7."""
    w = z
    for _ in range(halvings):
        w = _f(0.5) * w
    q = fma_single(_f(0.007071359162696288), w, _f(-0.04128415390730184))
    q = fma_single(q, w, _f(0.16662887895394732))
    q = fma_single(q, w, _f(-0.49999941090517735))
    q = fma_single(q, w, _f(1.0))
    for _ in range(halvings):
        q = q * fma_single(_f(-0.5) * w, q, _f(1.0))
        w = w + w
    return where(z < _f(256.0), q, _f(1.0) / z) if halvings >= 9 else q


@njit(forceinline=True)
def _mix(n):
    """The output function of splitmix64 (Steele, Lea & Flood 2014): every input bit reaches every output bit."""
    n = (n ^ (n >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    n = (n ^ (n >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return n ^ (n >> np.uint64(31))


@njit(cache=True)
def random_keys(seed, simulations):
    """The 64-bit keys (n,) of the random numbers of `simulations` (n,), integers."""
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
    radius = np.float64(
        math.sqrt(np.float32(-2.0 * _log(2.0 - first)))
    )  # a root of 32 bits takes a quarter of the time
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
