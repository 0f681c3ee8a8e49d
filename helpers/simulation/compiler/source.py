"""The text of a Python function, as a syntax tree and as the text of a compiled function."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from helpers.neurons import functions
from helpers.neurons.equations import Equation, source_of

__all__ = ["PRIMITIVES", "called_functions", "compiled_text", "function_text", "syntax_tree"]

PRIMITIVES = ("exp", "expm1", "linoid", "sqrt", "where")  # kernels.py has them; other functions are copied as text


def function_text(function: Equation | Callable[..., object], name: str, precision: str) -> str:
    """The text of a function as a compiled one called `name`."""
    return compiled_text(syntax_tree(function, name), precision)


def called_functions(entries: Iterable[Equation]) -> list[str]:
    """The functions of functions.py that the equations call and that are copied as text, being no primitives."""
    names = {name for entry in entries for name in entry.function.__code__.co_names}
    unknown = names - set(functions.__all__) - {"abs"}
    if unknown:
        raise ValueError(f"equations may call only abs, {', '.join(functions.__all__)}; found {sorted(unknown)}")
    return sorted(names - set(PRIMITIVES) - {"abs"})


def syntax_tree(function: Equation | Callable[..., object], name: str) -> ast.FunctionDef:
    """The tree of a function as one called `name`, without decorators, annotations and docstring."""
    marked = isinstance(function, Equation)
    source = function.source if marked else source_of(function)
    if not source:
        known = function.name if marked else function.__name__
        raise ValueError(f"the text of {known} cannot be read: define it in a file or a notebook cell")
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.FunctionDef)
    tree.name, tree.decorator_list, tree.returns = name, [], None
    if ast.get_docstring(tree) is not None:
        tree.body = tree.body[1:]
    return tree


def compiled_text(tree: ast.FunctionDef, precision: str) -> str:
    """The text of the compiled function. "plain" precision leaves it as it is, "single" makes its numbers single."""
    if precision != "plain":
        tree = _Reciprocals().visit(tree)
    if precision == "single":
        tree = _Reals().visit(tree)
    return "@njit(**OPTIONS)\n" + ast.unparse(ast.fix_missing_locations(tree))


class _Reciprocals(ast.NodeTransformer):
    """x / 18.0 becomes x * (1 / 18.0): a division takes several times as long."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        self.generic_visit(node)
        if isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant):
            return ast.BinOp(node.left, ast.Mult(), ast.Constant(1.0 / node.right.value))
        return node


class _Reals(ast.NodeTransformer):
    """Numbers become real(number), else one number of double precision would make all that it touches double."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        node.left = self.visit(node.left)
        if not isinstance(node.op, ast.Pow):  # whole exponents are repeated products
            node.right = self.visit(node.right)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return node
        return ast.Call(ast.Name("real", ast.Load()), [ast.Constant(float(node.value))], [])
