"""From the text of an equation to one that runs fast. The equations stay as they are written; this does the rest.

Exponentials dominate the cost of channel kinetics: each costs as much as a dozen multiplications. Three rules, applied
to the syntax tree of each equation:

    common subexpressions   exp((V + 35)/20), exp(-(V - V_T - 40)/5), ... are constants times integer powers of one
                            exp(-V/40): one exponential per step serves them all
    loop invariants         what depends on parameters only is computed once, before the time loop
    reciprocals             x / 18 becomes x · (1/18)

"plain" precision leaves the text unchanged, as a reference. An equation that is more than assignments to new names and
a return is left unchanged, too, except for reciprocals.
"""

from __future__ import annotations

import ast
import copy
import functools
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from helpers.neurons.equations import Equation, Neuron

from .source import Function, compiled_name, names_in, read_function

__all__ = [
    "MAX_POWER",
    "CommonExponential",
    "OptimisedEquations",
    "Reals",
    "Reciprocals",
    "optimise",
    "optimised_equations",
]

MAX_POWER = 12  # of a common exponential: its relative error grows by as much


@dataclass
class CommonExponential:
    """The row of numbers exp(-slope·V), of which powers up to `max_power` are taken, and the row of its inverses."""

    row: str
    slope: Fraction
    max_power: int
    inverse: str | None = None


@dataclass
class OptimisedEquations:
    """The equations of a neuron as they are compiled.

    functions: by compiled name. invariants: those that are computed once, each into the row of its name.
    exponentials: of V, which several equations share.
    """

    functions: dict[str, Function] = field(default_factory=dict)
    invariants: list[str] = field(default_factory=list)
    exponentials: list[CommonExponential] = field(default_factory=list)

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows of the workspace that the equations read besides states and constants."""
        return (*self.invariants, *(row for entry in self.exponentials for row in (entry.row, entry.inverse) if row))


@functools.cache
def optimised_equations(neuron: type[Neuron], precision: str) -> OptimisedEquations:
    """The equations of a neuron, all but the derived constants, as they are compiled."""
    first, *others = neuron.states
    entries = {compiled_name(entry): entry for entry in neuron.equations.values() if entry and entry.kind != "derived"}
    sharing = [compiled_name(neuron.equations[state]) for state in others]
    return optimise(entries, sharing, first, (*neuron.parameters(), *neuron.derived), precision)


def optimise(
    equations: Mapping[str, Equation], sharing: Collection[str], V: str, constants: Collection[str], precision: str
) -> OptimisedEquations:
    """Optimise `equations`, given by compiled name.

    sharing: those that are evaluated after the first state `V` has moved, and may share its exponentials.
    constants: the names that are constant during a run.
    """
    result = OptimisedEquations({name: read_function(entry, name) for name, entry in equations.items()})
    functions = result.functions
    if precision != "plain":
        straight = [name for name, function in functions.items() if function.is_straight]
        sharing = [name for name in straight if name in sharing]
        find = _FindExponentials(V, constants)
        for name in sharing:
            find.apply(functions[name])
        share = _ShareExponentials(V, constants, find.slopes)
        for name in sharing:
            functions[name] = share.apply(functions[name])
        hoist = _HoistInvariants(constants)
        for name in straight:
            functions[name] = hoist.apply(functions[name])
        functions |= hoist.functions
        result.invariants, result.exponentials = list(hoist.functions), share.exponentials
    for name, function in functions.items():
        used = names_in(*function.body)
        arguments = [known for known in (*function.arguments, *result.rows) if known in used]
        functions[name] = replace(function, arguments=tuple(dict.fromkeys(arguments)))
    return result


class _Rule(ast.NodeTransformer):
    """A rule that rewrites one equation after the other, and knows what their local names stand for."""

    def __init__(self, constants: Collection[str]) -> None:
        self.constants = set(constants)
        self.values: dict[str, ast.expr] = {}

    def apply(self, function: Function) -> Function:
        """Rewrite a straight function."""
        self.values = {}
        for line in function.body:
            if isinstance(line, ast.Assign):
                (target,) = line.targets
                self.values[target.id] = self.expanded(line.value)  # type: ignore[attr-defined]
        return function.rewritten(self)

    def expanded(self, node: ast.expr) -> ast.expr:
        """The expression with local names replaced by what they stand for."""
        return _Expand(self.values).visit(copy.deepcopy(node))


class _Expand(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self.values.get(node.id, node))


class Reciprocals(ast.NodeTransformer):
    """x / 18.0 becomes x * (1 / 18.0): a division takes several times as long."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        """Multiply by the reciprocal."""
        self.generic_visit(node)
        match node:
            case ast.BinOp(op=ast.Div(), right=ast.Constant(value=int() | float() as value)):
                return ast.BinOp(node.left, ast.Mult(), ast.Constant(1.0 / value))
        return node


class Reals(ast.NodeTransformer):
    """Numbers become real(number); a single number of double precision would make all that it touches double."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        """Leave exponents as they are: integer ones are repeated products."""
        node.left = self.visit(node.left)
        if not isinstance(node.op, ast.Pow):
            node.right = self.visit(node.right)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Wrap a number."""
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return node
        return ast.Call(ast.Name("real", ast.Load()), [ast.Constant(float(node.value))], [])


# ------------------------------------------------------------------------------------------ common exponentials


def _line(node: ast.expr) -> dict[str, Fraction] | None:
    """The slopes of an expression that is linear in its names, and its value at 0 under the name ""; else None."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return {"": Fraction(str(value))}
        case ast.Name(id=name):
            return {name: Fraction(1)}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _scaled(_line(operand), Fraction(-1))
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            one, two = _line(left), _scaled(_line(right), Fraction(1 if isinstance(op, ast.Add) else -1))
            if one is None or two is None:
                return None
            return {name: one.get(name, Fraction(0)) + two.get(name, Fraction(0)) for name in {**one, **two}}
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            one, two = _line(left), _line(right)
            if isinstance(op, ast.Mult) and one is not None and set(one) == {""}:
                one, two = two, one
            if one is None or two is None or set(two) != {""} or (isinstance(op, ast.Div) and not two[""]):
                return None
            return _scaled(one, two[""] if isinstance(op, ast.Mult) else 1 / two[""])
    return None


def _scaled(line: dict[str, Fraction] | None, factor: Fraction) -> dict[str, Fraction] | None:
    return None if line is None else {name: factor * slope for name, slope in line.items()}


class _FindExponentials(_Rule):
    """Finds each exp(z) and linoid(z) in which z is linear in V, plus a rest that depends on parameters."""

    def __init__(self, V: str, constants: Collection[str]) -> None:
        super().__init__(constants)
        self.V = V
        self.slopes: list[Fraction] = []

    def slope_and_rest(self, node: ast.Call) -> tuple[Fraction, dict[str, Fraction]] | None:
        if not (isinstance(node.func, ast.Name) and node.func.id in ("exp", "linoid")):
            return None
        line = _line(self.expanded(node.args[0]))
        if line is None or not line.get(self.V) or set(line) - self.constants - {self.V, ""}:
            return None
        return line.pop(self.V), line

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        found = self.slope_and_rest(node)
        if found:
            self.slopes.append(found[0])
        return node


class _ShareExponentials(_FindExponentials):
    """exp(slope·V + rest) becomes exp(rest) times a power of a row that others use, too."""

    def __init__(self, V: str, constants: Collection[str], slopes: Iterable[Fraction]) -> None:
        super().__init__(V, constants)
        groups: list[list[Fraction]] = []  # of integer multiples of their first
        for slope in sorted(map(abs, slopes)):
            for group in groups:
                if (slope / group[0]).denominator == 1 and slope / group[0] <= MAX_POWER:
                    group.append(slope)
                    break
            else:
                groups.append([slope])
        several = [group for group in groups if len(group) > 1]
        self.exponentials = [
            CommonExponential(f"exp_{i}", group[0], int(group[-1] / group[0])) for i, group in enumerate(several)
        ]
        self.of_slope = {slope: self.exponentials[i] for i, group in enumerate(several) for slope in group}

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        found = self.slope_and_rest(node)
        if not found or abs(found[0]) not in self.of_slope:
            return node
        slope, rest = found
        common = self.of_slope[abs(slope)]
        row, power = common.row, int(abs(slope) / common.slope)
        if slope > 0:
            row = common.inverse = f"{common.row}_inverse"
        exponent = " + ".join(f"{float(c)!r}" + (f" * {name}" if name else "") for name, c in rest.items() if c)
        factor = f"exp({exponent})" if set(rest) - {""} else repr(math.exp(rest.get("", 0)))
        squared = 2 ** (power.bit_length() - 1)  # squares of squares; the rest of the power goes to the factor
        if power > squared:
            factor = f"({factor} * {row} ** {power - squared})"
        if isinstance(node.func, ast.Name) and node.func.id == "exp":
            return _parsed(f"{factor} * {row} ** {squared}")
        return ast.Call(_parsed("linoid_given"), [*node.args, _parsed(factor), _parsed(f"{row} ** {squared}")], [])


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


# --------------------------------------------------------------------------------------------- loop invariants


class _HoistInvariants(_Rule):
    """Replaces what depends on parameters only by the name of a row; `functions` are those that fill the rows."""

    def __init__(self, constants: Collection[str]) -> None:
        super().__init__(constants)
        self.functions: dict[str, Function] = {}
        self.row_of: dict[str, str] = {}  # by text

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if self.is_invariant(node):
            return self.hoisted(node)
        if isinstance(node.op, ast.Div) and self.is_invariant(node.right):
            one_over = ast.BinOp(ast.Constant(1.0), ast.Div(), node.right)
            return ast.BinOp(self.visit(node.left), ast.Mult(), self.hoisted(one_over))
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return self.hoisted(node) if self.is_invariant(node) else self.generic_visit(node)

    def is_invariant(self, node: ast.expr) -> bool:
        names = names_in(self.expanded(node))
        return bool(names) and names <= self.constants

    def hoisted(self, node: ast.expr) -> ast.expr:
        value = self.expanded(node)
        text = ast.unparse(value)
        if text not in self.row_of:
            row = self.row_of[text] = f"invariant_{len(self.row_of)}"
            self.functions[row] = Function(row, tuple(sorted(names_in(value))), (ast.Return(value),))
        return ast.Name(self.row_of[text], ast.Load())
