"""From the text of an equation to a text that runs fast. The equations stay as they are written; this does the rest.

What costs time in the rates of channels are exponentials, each as much as a dozen products. Three rules, applied to
the syntax tree of each equation:

    shared exponentials   exp((V + 35)/20), exp(-(V - V_T - 40)/5), ... are constants times whole powers of one
                          exp(-V/40): one exponential a step serves them all
    loop invariants       what depends on parameters only is computed once, before the time loop
    reciprocals           x / 18 becomes x · (1/18)

In "plain" precision the text is left alone, to compare with; so is an equation that is more than assignments to new
names and a return.
"""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from helpers.neurons.equations import Equation

from .source import compiled_text, syntax_tree

__all__ = ["MAX_POWER", "Rewritten", "rewrite"]

MAX_POWER = 12  # of a shared exponential: its relative error grows by as much


@dataclass
class CommonExponential:
    """The row of numbers exp(-slope·V), of which powers up to the `highest` are taken; `inverse` is the row of 1/it."""

    row: str
    slope: Fraction
    highest: int
    inverse: str | None = None


@dataclass
class Rewritten:
    """The equations of a neuron as they are compiled, and the rows of numbers that they need besides.

    texts: the compiled functions. arguments: what each takes, by its name.
    invariants: the functions that are computed once, each for the row of its name. shared: exponentials of V.
    """

    texts: list[str] = field(default_factory=list)
    arguments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    invariants: list[str] = field(default_factory=list)
    exponentials: list[CommonExponential] = field(default_factory=list)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.invariants, *(row for entry in self.exponentials for row in (entry.row, entry.inverse) if row))


def rewrite(
    equations: Mapping[str, Equation], sharing: Collection[str], V: str, constants: Collection[str], precision: str
) -> Rewritten:
    """Rewrite `equations`, given by the names of the compiled functions.

    sharing: those that are evaluated after the first state `V` has moved, and may share its exponentials.
    constants: the names that stand still during a run.
    """
    result = Rewritten()
    trees = {name: syntax_tree(entry, name) for name, entry in equations.items()}
    if precision != "plain":
        simple = [name for name, tree in trees.items() if _is_simple(tree)]
        sharing = [name for name in simple if name in sharing]
        find = _Exponentials(V, constants)
        for name in sharing:
            find.among(trees[name]).visit(trees[name])
        share = _Share(V, constants, find.slopes)
        for name in sharing:
            trees[name] = share.among(trees[name]).visit(trees[name])
        hoist = _Hoist(constants)
        for name in simple:
            trees[name] = hoist.among(trees[name]).visit(trees[name])
        result.invariants, result.exponentials = list(hoist.trees), share.exponentials
        trees |= hoist.trees
    for name, tree in trees.items():
        result.arguments[name] = _name_arguments(tree, result.names)
        result.texts.append(compiled_text(tree, precision))
    return result


def _is_simple(tree: ast.FunctionDef) -> bool:
    """Whether the equation is assignments to new names and a return."""
    known = [entry.arg for entry in tree.args.args]
    for line in tree.body[:-1]:
        match line:
            case ast.Assign(targets=[ast.Name(id=name)]) if name not in known:
                known.append(name)
            case _:
                return False
    return isinstance(tree.body[-1], ast.Return)


def _name_arguments(tree: ast.FunctionDef, rows: Collection[str]) -> tuple[str, ...]:
    """Make the arguments and the `rows` that the equation uses its arguments, and return them."""
    used = _names(tree)
    arguments = [name for name in (*(entry.arg for entry in tree.args.args), *rows) if name in used]
    tree.args.args = [ast.arg(name) for name in dict.fromkeys(arguments)]
    return tuple(dict.fromkeys(arguments))


def _names(node: ast.AST) -> set[str]:
    """The names in an expression, but for those of functions."""
    called = {inner.func.id for inner in ast.walk(node) if isinstance(inner, ast.Call)}
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)} - called


# ------------------------------------------------------------------------------------------ shared exponentials


class _Reader(ast.NodeTransformer):
    """Walks over equations and knows what their local names stand for."""

    def __init__(self, constants: Collection[str]) -> None:
        self.constants = set(constants)
        self.locals: dict[str, ast.expr] = {}

    def among(self, tree: ast.FunctionDef) -> _Reader:
        """Read the equation `tree` next."""
        self.locals = {}
        for line in tree.body:
            if isinstance(line, ast.Assign):
                self.locals[line.targets[0].id] = self.expanded(line.value)
        return self

    def expanded(self, node: ast.expr) -> ast.expr:
        """The expression with local names replaced by what they stand for."""
        return _Expand(self.locals).visit(copy.deepcopy(node))


class _Expand(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self.values.get(node.id, node))


def _line(node: ast.expr) -> dict[str, Fraction] | None:
    """The slopes of an expression that is a straight line in its names, and its value at 0 as that of ""; else None."""
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


class _Exponentials(_Reader):
    """Finds each exp(z) and linoid(z) in which z is a straight line in V, with a rest of parameters."""

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


class _Share(_Exponentials):
    """exp(slope·V + rest) becomes exp(rest) times a power of a row that others use, too."""

    def __init__(self, V: str, constants: Collection[str], slopes: Iterable[Fraction]) -> None:
        super().__init__(V, constants)
        groups: list[list[Fraction]] = []  # of whole multiples of their first
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
        shared = self.of_slope[abs(slope)]
        if slope > 0:
            shared.inverse = f"{shared.row}_inverse"
        row, power = shared.inverse if slope > 0 else shared.row, int(abs(slope) / shared.slope)
        exponent = " + ".join(f"{float(c)!r}" + (f" * {name}" if name else "") for name, c in rest.items() if c)
        factor = f"exp({exponent})" if set(rest) - {""} else repr(math.exp(rest.get("", 0)))
        squared = 2 ** (power.bit_length() - 1)  # squares of squares; the rest of the power goes to the factor
        if power > squared:
            factor = f"({factor} * {row} ** {power - squared})"
        if node.func.id == "exp":
            return _parsed(f"{factor} * {row} ** {squared}")
        return ast.Call(_parsed("linoid_given"), [*node.args, _parsed(factor), _parsed(f"{row} ** {squared}")], [])


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


# ------------------------------------------------------------------------------------------------ held constants


class _Hoist(_Reader):
    """Replaces what depends on parameters only by the name of a row; `trees` are the functions that fill the rows."""

    def __init__(self, constants: Collection[str]) -> None:
        super().__init__(constants)
        self.trees: dict[str, ast.FunctionDef] = {}
        self.rows: dict[str, str] = {}

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        if self.is_invariant(node):
            return self.hoisted(node)
        if isinstance(node.op, ast.Div) and self.is_invariant(node.right):
            one_over = ast.BinOp(ast.Constant(1.0), ast.Div(), node.right)
            return ast.BinOp(self.visit(node.left), ast.Mult(), self.hoisted(one_over))
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        return self.hoisted(node) if self.is_invariant(node) else self.generic_visit(node)

    def is_invariant(self, node: ast.expr) -> bool:
        names = _names(self.expanded(node))
        return bool(names) and names <= self.constants

    def hoisted(self, node: ast.expr) -> ast.expr:
        value = self.expanded(node)
        text = ast.unparse(value)
        if text not in self.rows:
            row = self.rows[text] = f"invariant_{len(self.rows)}"
            arguments = ", ".join(sorted(_names(value)))
            self.trees[row] = ast.parse(f"def {row}({arguments}):\n    return {text}").body[0]
        return ast.Name(self.rows[text], ast.Load())
