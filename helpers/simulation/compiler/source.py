"""Read the equations: the one reader of their syntax trees, whatever language a target writes them in."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from helpers.neurons import functions
from helpers.neurons.equations import Equation, source_of
from helpers.neurons.mistakes import ALLOWED, instead_of

__all__ = ["Function", "compiled_name", "names_in", "read_function", "read_called"]


@dataclass(frozen=True)
class Function:
    """A function that has been read: without decorators, annotations and docstring; `x += y` reads `x = x + y`."""

    name: str
    arguments: tuple[str, ...]
    body: tuple[ast.stmt, ...]

    @property
    def assigned(self) -> tuple[str, ...]:
        """The names that it gives values to, in alphabetical order."""
        stored = {node.id for node in self._names() if isinstance(node.ctx, ast.Store)}
        return tuple(sorted(stored - set(self.arguments)))

    @property
    def foreign(self) -> set[str]:
        """The names that are neither arguments nor assigned: what it calls, above all."""
        return {node.id for node in self._names()} - {*self.arguments, *self.assigned}

    @property
    def is_straight(self) -> bool:
        """Whether it consists of assignments to new names and a return."""
        known = list(self.arguments)
        for line in self.body[:-1]:
            match line:
                case ast.Assign(targets=[ast.Name(id=name)]) if name not in known:
                    known.append(name)
                case _:
                    return False
        return isinstance(self.body[-1], ast.Return)

    def _names(self) -> list[ast.Name]:
        return [node for line in self.body for node in ast.walk(line) if isinstance(node, ast.Name)]

    def rewritten(self, rule: ast.NodeTransformer) -> Function:
        """A copy in which a rule has been applied to every statement."""
        return replace(self, body=tuple(rule.visit(copy.deepcopy(line)) for line in self.body))

    def as_python(self) -> str:
        """The function as Python text."""
        arguments = ast.arguments([], [ast.arg(name) for name in self.arguments], None, [], [], None, [])
        tree = ast.FunctionDef(self.name, arguments, list(self.body), [], None)
        return ast.unparse(ast.fix_missing_locations(tree))


def read_function(function: Equation | Callable[..., object], name: str) -> Function:
    """Read a function as one called `name`.

    Raises
    ------
    ValueError
        If Python cannot find its source.
    """
    source = function.source if isinstance(function, Equation) else source_of(function)
    if not source:
        known = function.name if isinstance(function, Equation) else getattr(function, "__name__", name)
        raise ValueError(f"the text of {known} cannot be read: define it in a file or a notebook cell")
    tree = _PlainAssignments().visit(ast.parse(source).body[0])
    described = ast.get_docstring(tree) is not None
    return Function(name, tuple(entry.arg for entry in tree.args.args), tuple(tree.body[described:]))


def read_called(equations: Iterable[Function], primitives: Collection[str]) -> list[Function]:
    """Read what the equations call from `functions`, except for the `primitives` that a target has of its own.

    Raises
    ------
    ValueError
        If they use any other name that they do not define.
    """
    equations = list(equations)
    names = {name for entry in equations for name in entry.foreign}
    for entry in equations:
        unknown = sorted(entry.foreign - set(functions.__all__) - {"abs"})
        if unknown:
            near = instead_of(node for line in entry.body for node in ast.walk(line))
            raise ValueError(f"{entry.name} uses {unknown}: not among its arguments, and {ALLOWED}{near}")
    return [read_function(getattr(functions, name), name) for name in sorted(names - set(primitives) - {"abs"})]


def compiled_name(entry: Equation) -> str:
    """The name of an equation in generated code."""
    return f"{entry.kind}_{entry.name}"


def names_in(*nodes: ast.AST) -> set[str]:
    """The names of values, not of functions that are called, in expressions or statements."""
    inner = [part for node in nodes for part in ast.walk(node)]
    called = {part.func.id for part in inner if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)}
    return {part.id for part in inner if isinstance(part, ast.Name)} - called


class _PlainAssignments(ast.NodeTransformer):
    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return node
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        if not isinstance(node.target, ast.Name):
            return node
        left = ast.Name(node.target.id, ast.Load())
        return ast.copy_location(ast.Assign([node.target], ast.BinOp(left, node.op, node.value)), node)
