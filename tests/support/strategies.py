"""Hostile input: what may arrive in place of each argument of a public function, and what must come of it.

A `Target` is a public function with a kind for each of its arguments. A case draws good values for all of them and puts
something else in place of one: a number far outside its range, NaN, another dtype or memory layout, another shape,
text, nothing. Then one of two things may happen, with every warning an error:

    a correct answer     finite, and the one that the plain form of the same numbers gives (contiguous float64)
    a refusal            ValueError that names the argument; for an object of a wrong kind, also what Python raises
"""

# ruff: noqa: E501

import dataclasses
import math
import re
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

SLOWEST = 10.0  # s, of a case


# ------------------------------------------------------------------------------------------------------ one argument


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A value for an argument. plain: the same in plain form, where there is one; its answer must be the same.

    refused: it must be refused. foreign: an object of a wrong kind, about which Python itself may complain.
    """

    value: Any
    plain: Any = None
    refused: bool = False
    foreign: bool = False

    def __repr__(self) -> str:
        dtype = f" {self.value.dtype}" if isinstance(self.value, np.ndarray) else ""
        return f"{type(self.value).__name__}{dtype} {self.value!r}"


@dataclasses.dataclass(frozen=True)
class Kind:
    """What an argument takes: a strategy for good values, and one for hostile ones (`Drawn`)."""

    good: st.SearchStrategy
    hostile: st.SearchStrategy | None


WILD = (0.0, -0.0, 1e-300, 5e-324, -1e-12, 1e-9, 1e9, -1e9, 1e18, -1e18, 1e150, 1.7e308, -1.7e308)
NEVER = (math.nan, -math.nan, math.inf, -math.inf, np.float32("nan"), np.array(np.nan))
NO_NUMBERS = (
    "0.5", "much", "", b"1", 1 + 2j, np.complex128(1j), {}, {"a": 1.0}, object(), np.datetime64("2020-01-01"),
    np.timedelta64(3, "ms"), np.array("1"), [], np.array([1 + 2j]), ["a"], [None], np.ma.masked,
)  # fmt: skip


def always(value: Any) -> Kind:
    """An argument that is not touched."""
    return Kind(st.just(value), None)


def number(low: float, high: float, *, optional: bool = False, slow: tuple[float, float] | None = None) -> Kind:
    """One number; good from `low` to `high`. optional: None is a good value, too. slow: a range of values that would
    be right but take long, which are left out."""
    good = st.floats(low, high)
    refused = (*NEVER, *NO_NUMBERS, *(() if optional else (None,)))

    def form(value: float, how: int) -> Drawn:
        if how < 4:
            typed = (np.float32, np.float16, lambda v: np.array(v), np.longdouble)[how](value)
            typed = typed if np.isfinite(typed) else np.float64(value)
        else:
            typed = (int, lambda v: np.int32(int(v)), lambda v: np.array(int(v)))[how - 4](min(max(value, -1e9), 1e9))
        return Drawn(typed, float(typed))

    hostile = st.one_of(
        st.builds(form, good, st.integers(0, 6)),
        st.sampled_from(refused).map(lambda value: Drawn(value, refused=True)),
        st.sampled_from(WILD).map(Drawn),
        st.floats(allow_nan=False, allow_infinity=False).map(Drawn),
        st.builds(lambda value, scale: Drawn(value * scale), good, st.sampled_from((1e-3, 1e3, -1.0, 1e-6, 1e6))),
        st.booleans().map(lambda value: Drawn(value, float(value))),
        st.builds(
            lambda value, n: Drawn(np.full(n, value), refused=True), good, st.sampled_from((0, 2, (1, 1), (2, 2)))
        ),
    )

    def is_quick(drawn: Drawn) -> bool:
        value = drawn.value
        return not (slow and isinstance(value, float | int | np.floating) and slow[0] < value < slow[1])

    return Kind(good, hostile.filter(is_quick))


def whole(low: int, high: int, *, optional: bool = False, none_below: int | None = None) -> Kind:
    """A whole number; good from `low` to `high`. none_below: less than this must be refused."""
    good = st.integers(low, high)
    wrong = (
        True,
        False,
        2.5,
        3.0,
        math.nan,
        math.inf,
        "3",
        b"3",
        1j,
        [],
        [3],
        {},
        np.array([3, 4]),
        object(),
        np.timedelta64(3, "ms"),
    )
    wrong = (*wrong, *(() if optional else (None,)))
    hostile = [
        good.flatmap(lambda n: st.sampled_from((np.int64(n), np.uint32(n), np.uint16(n % 65536)))).map(
            lambda n: Drawn(n, int(n))
        ),
        st.sampled_from(wrong).map(lambda value: Drawn(value, refused=True)),
    ]
    if none_below is not None:
        hostile.append(st.integers(-(2**70), none_below - 1).map(lambda value: Drawn(value, refused=True)))
    return Kind(good, st.one_of(hostile))


def seed(optional: bool = False) -> Kind:
    """A seed: a whole number from 0. optional: None draws one."""
    return whole(0, 2**31, none_below=0, optional=optional)


def bad_whole(good: int) -> Kind:
    """A whole number in place of which only wrong ones are tried: where a right answer takes long."""
    return Kind(st.just(good), whole(good, good, none_below=0).hostile.filter(lambda drawn: drawn.refused))


def choice(*good: str, optional: bool = False) -> Kind:
    """One of some names."""
    wrong = (
        "",
        "x",
        "Euler",
        "exponential euler",
        3,
        1.5,
        math.nan,
        [],
        {},
        ("a", "b"),
        b"euler",
        object(),
        np.array("x"),
    )
    wrong = (*wrong, *(() if optional else (None,)))
    texts = st.text(max_size=12).filter(lambda text: text not in good)
    return Kind(
        st.sampled_from(good or ("",)),
        st.one_of(texts, st.sampled_from(wrong)).map(lambda value: Drawn(value, refused=True)),
    )


def thing(*good: Any, but: tuple[type, ...] = (), optional: bool = False) -> Kind:
    """An object of the series; something of another kind must not be taken for one. but: these kinds are right, too."""
    wrong = (3, 1.5, "x", [], {}, object(), np.zeros(3), *(() if optional else (None,)))
    wrong = [value for value in wrong if not isinstance(value, but)]
    foreign = st.one_of(st.sampled_from(wrong), st.integers(), st.text(min_size=1 if str in but else 0, max_size=5))
    return Kind(st.sampled_from(good), foreign.map(lambda value: Drawn(value, refused=True, foreign=True)))


@st.composite
def _filled(draw: Any, shape: tuple[int, ...], low: float, high: float, rising: bool) -> np.ndarray:
    # One number makes them all: quick to draw, and quick to make simpler where a case fails.
    values = np.random.default_rng(draw(st.integers(0, 2**32))).uniform(low, high, shape)
    return np.sort(values, axis=0) if rising else values


def array(
    *shape: int,
    low: float,
    high: float,
    rising: bool = False,
    optional: bool = False,
    infinite: bool = False,
    empty: bool = False,
) -> Kind:
    """An array of numbers from `low` to `high`; in time order if `rising`.

    Good values, too: None if it is `optional`, infinity where it may be `infinite`, none at all where it may be `empty`.
    """
    good = _filled(shape, low, high, rising)

    def form(values: np.ndarray, how: int) -> Drawn:
        if how == 0:
            return Drawn(values.tolist(), values)
        if how == 1:
            return Drawn(values.astype(np.float32), values.astype(np.float32).astype(float))
        if how == 2:
            rounded = np.round(values)
            return Drawn(rounded.astype(np.int64), rounded)
        if how == 3:
            return Drawn(values[::-1].copy()[::-1], values)  # steps backwards through memory
        if how == 4:
            wide = np.zeros((*shape[:-1], 2 * shape[-1])) if shape else np.zeros(2)
            view = wide[..., ::2] if shape else wide[:1].reshape(())
            view[...] = values
            return Drawn(view, values)
        if how == 5:
            return Drawn(np.asfortranarray(values), values)
        if how == 6:
            kept = values.copy()
            kept.flags.writeable = False
            return Drawn(kept, values)
        if how == 7:
            return Drawn(values.astype(object), values)
        if how == 8:
            return Drawn(values.astype(">f8"), values)  # the bytes in the other order
        if how == 9:
            return Drawn(torch.as_tensor(values), values)
        return Drawn(tuple(values.tolist()) if values.ndim else values.tolist(), values)

    def spoiled(values: np.ndarray, place: int, what: Any) -> Drawn:
        broken = values.astype(object) if not isinstance(what, float) else values.copy()
        broken[np.unravel_index(place % values.size, values.shape)] = what
        return Drawn(
            broken, refused=not isinstance(what, float) or math.isnan(what) or not (infinite or math.isfinite(what))
        )

    def reshaped(values: np.ndarray, how: int) -> Drawn:
        other = (
            values[:0], values[..., None], values[None], values.T if values.ndim > 1 else values[:1],
            values.ravel() if values.ndim > 1 else np.float64(values.flat[0]), np.concatenate([values, values]),
            values[:-1], np.full(values.shape, values.flat[0]), values[:2],
        )[how]  # fmt: skip
        return Drawn(other)

    wrong = [value for value in NO_NUMBERS if not (empty and isinstance(value, list) and not value)]
    wrong += [] if optional else [None]
    ragged = [[1.0, 2.0], [3.0]]
    hostile = st.one_of(
        st.builds(form, good, st.integers(0, 10)),
        st.builds(
            spoiled, good, st.integers(0, 999),
            st.sampled_from((math.nan, math.inf, -math.inf, None, "a", 1j, 1e300, -1e300, 1e-300, 0.0, 1e9, -1e9)),
        ),
        st.sampled_from([*wrong, ragged, np.nan]).map(lambda value: Drawn(value, refused=True)),
        st.builds(reshaped, good, st.integers(0, 8)),
        st.builds(lambda values, scale: Drawn(values * scale), good, st.sampled_from((1e-3, 1e3, -1.0, 1e-9, 1e9, 1e200))),
    )  # fmt: skip
    return Kind(good, hostile)


# ---------------------------------------------------------------------------------------------------- one function


@dataclasses.dataclass(frozen=True)
class Target:
    """A public function, the kind of each of its arguments, and what a right answer looks like.

    cases: how many are tried. undefined: the function's text declares NaN or infinity in its answers. named: words
    that stand for an argument in a message, besides its own name. compare: whether plain and other forms of the same
    numbers give equal answers. check: asserts about an answer, given the arguments. covers: functions that it calls, and
    thus tries as well. warns: how a warning begins that its text declares. warm: call it once before, as compiling
    takes longer than an answer may.
    """

    function: Callable[..., Any]
    arguments: Mapping[str, Kind]
    cases: int = 150
    name: str = ""
    undefined: bool = False
    named: Mapping[str, str] = dataclasses.field(default_factory=dict)
    compare: bool = True
    check: Callable[[Any, Mapping[str, Any]], None] | None = None
    covers: tuple[Any, ...] = ()
    warns: str = ""
    warm: bool = True

    def __str__(self) -> str:
        return self.name or getattr(self.function, "__name__", str(self.function))


def target(function: Callable[..., Any], cases: int = 150, /, *, like: Mapping[str, Any] | None = None, **arguments: Kind) -> Target:  # fmt: skip
    """A `Target`; `like` holds its further settings."""
    return Target(function, arguments, cases, **(like or {}))


@st.composite
def calls(draw: Any, tried: Target) -> tuple[dict[str, Any], str, Drawn]:
    """Good arguments, the name of the one to be replaced, and what by."""
    names = [name for name, kind in tried.arguments.items() if kind.hostile is not None]
    chosen = draw(st.sampled_from(names))
    arguments = {name: draw(kind.good) for name, kind in tried.arguments.items() if name != chosen}
    return arguments, chosen, draw(tried.arguments[chosen].hostile)


def attack(tried: Target, times: float) -> None:
    """Run so many `times` the cases of a target."""
    ran, cases = 0, max(10, round(tried.cases * times))

    @settings(
        max_examples=cases,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        phases=[Phase.generate],  # no search for a simpler case: the first one that fails is simple enough
    )
    @given(calls(tried))
    def run(case: tuple[dict[str, Any], str, Drawn]) -> None:
        nonlocal ran
        ran += 1
        try_case(tried, *case)

    if tried.warm:
        with suppress(Exception):
            tried.function(**{name: first_of(kind) for name, kind in tried.arguments.items()})
    run()
    assert ran >= cases, f"{tried}: {ran} cases, needed {cases}"


def both_lengths(targets: Sequence[Target]) -> tuple[Callable[..., None], Callable[..., None]]:
    """The two tests of a file's targets: one with a quarter of the cases for every run, and one with ten times all."""

    @pytest.mark.parametrize("tried", targets, ids=str)
    def short(tried: Target) -> None:
        attack(tried, 0.25)

    @pytest.mark.long
    @pytest.mark.parametrize("tried", targets, ids=str)
    def long(tried: Target) -> None:
        attack(tried, 10)

    return short, long


def first_of(kind: Kind) -> Any:
    """A good value: the first one, for which no simpler one is looked for, which would take longer than the test."""
    first = settings(database=None, derandomize=True, phases=[Phase.generate])
    return find(kind.good, lambda value: True, settings=first)


def try_case(tried: Target, arguments: Mapping[str, Any], name: str, drawn: Drawn) -> None:
    """One case: the answer to `drawn` as the argument `name` is right, or it is refused by name."""
    given_arguments = {key: arguments[key] if key != name else drawn.value for key in tried.arguments}
    answer, refusal = answer_of(tried, given_arguments)
    if refusal is not None:
        if not drawn.foreign or isinstance(refusal, ValueError):
            assert isinstance(refusal, ValueError), f"{name} = {drawn}: {type(refusal).__name__}: {refusal}"
            wanted = tried.named.get(name, name)
            assert re.search(rf"(?<!\w)({wanted})(?!\w)", str(refusal)), f"{name} = {drawn} is not named: {refusal}"
        else:
            assert isinstance(refusal, TypeError | AttributeError), f"{type(refusal).__name__}: {refusal}"
    assert refusal is not None or not drawn.refused, f"{name} = {drawn} was taken: {repr(answer)[:300]}"
    if refusal is None:
        assert tried.undefined or is_finite(answer), f"{name} = {drawn} gives {repr(answer)[:300]}"
        if tried.check is not None:
            tried.check(answer, given_arguments)
    if drawn.plain is not None and tried.compare:
        usual, refused = answer_of(tried, {**given_arguments, name: drawn.plain})
        assert (refused is None) == (refusal is None), (
            f"{name} = {drawn}: {refusal!r}; as plain numbers: {repr(refused)[:300]}"
        )
        if refusal is None:
            assert is_equal(answer, usual), (
                f"{name} = {drawn} gives {repr(answer)[:300]}; as plain numbers {repr(usual)[:300]}"
            )


def answer_of(tried: Target, arguments: Mapping[str, Any]) -> tuple[Any, Exception | None]:
    """The answer, or what was raised."""
    with warnings.catch_warnings(), _time_limit():
        warnings.simplefilter("error")
        if tried.warns:
            warnings.filterwarnings("ignore", tried.warns)
        try:
            return tried.function(**arguments), None
        except (ValueError, TypeError, AttributeError) as refusal:
            return None, refusal


@contextmanager
def _time_limit() -> Iterator[None]:
    """Interrupt what takes too long, by the processor's clock. Compiled code is only interrupted when it comes back."""

    def too_long(*_: object) -> None:
        raise TimeoutError(f"no answer within {SLOWEST:g} s")

    before = signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, SLOWEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def is_finite(answer: Any) -> bool:
    """Whether every number in an answer is finite, however deep it lies."""
    if (
        answer is None
        or isinstance(answer, str | bytes | bool | type)
        or callable(answer)
        and not dataclasses.is_dataclass(answer)
    ):
        return True
    if isinstance(answer, torch.Tensor):
        return bool(torch.isfinite(answer).all())
    if isinstance(answer, Mapping):
        return all(is_finite(value) for value in answer.values())
    if isinstance(answer, tuple | list | set | frozenset):
        return all(is_finite(value) for value in answer)
    if dataclasses.is_dataclass(answer):
        return all(is_finite(getattr(answer, field.name, None)) for field in dataclasses.fields(answer))
    if isinstance(answer, int | np.integer):
        return True
    if isinstance(answer, np.ndarray) and answer.dtype.kind not in "biufc":
        return True
    if isinstance(answer, float | complex | np.number | np.ndarray):
        return bool(np.isfinite(answer).all())
    return True


def is_equal(a: Any, b: Any) -> bool:
    """Whether two answers are the same but for rounding, however deep."""
    if type(a).__qualname__ != type(b).__qualname__ and not (
        isinstance(a, float | np.floating) and isinstance(b, float | np.floating)
    ):
        return (
            isinstance(a, int | float | np.number)
            and isinstance(b, int | float | np.number)
            and is_equal(float(a), float(b))
        )
    if a is None or isinstance(a, str | bytes | bool | type):
        return a == b
    if isinstance(a, torch.Tensor):
        return is_equal(a.detach().numpy(), b.detach().numpy())
    if isinstance(a, Mapping):
        return set(a) == set(b) and all(is_equal(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(is_equal, a, b))
    if dataclasses.is_dataclass(a):
        names = [field.name for field in dataclasses.fields(a)]
        return all(is_equal(getattr(a, name, None), getattr(b, name, None)) for name in names)
    if isinstance(a, int | float | complex | np.number | np.ndarray) and np.asarray(a).dtype.kind in "biufc":
        return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True)
    return True
