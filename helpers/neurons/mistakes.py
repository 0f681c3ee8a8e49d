"""Mistakes in the text of an equation, found when its class is made, before anything is compiled."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

from helpers.validation import did_you_mean

from . import functions

__all__ = ["ALLOWED", "instead_of", "mistake_in"]

CALLS = ("abs", *functions.__all__)
ALLOWED = f"equations may call only {', '.join(CALLS)} from helpers.neurons"
PAIRS = {"gate": "(alpha, beta)", "current": "(g, E)", "state": "(a, b)"}  # what they return


def mistake_in(kind: str, name: str, arguments: tuple[str, ...], source: str, constants: Collection[str]) -> str:
    """Return what is wrong with an equation, and what to write instead; "" if nothing is.

    Parameters
    ----------
    kind, name, arguments, source
        Those of the `Equation`; nothing is found without a source.
    constants
        What might be among its arguments.
    """
    try:
        [function] = ast.parse(source).body
    except (SyntaxError, ValueError):  # no text, or more than a function
        return ""
    if not isinstance(function, ast.FunctionDef):
        return ""
    found = [node for line in function.body for node in ast.walk(line)]
    if "self" in arguments:
        of_self = [n for n in found if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "self"]
        of_self.sort(key=lambda node: (node.lineno, node.col_offset))
        wanted = dict.fromkeys((*arguments, *(node.attr for node in of_self)))
        wanted.pop("self")
        return f"takes self, which equations do not have: write {_head(name, wanted)}"
    unknown = _unknown(function, found, arguments)
    forgotten = [entry for entry in unknown if entry in constants]
    if forgotten:
        words = f"uses {', '.join(forgotten)}, which its arguments leave out"
        return f"{words}: write {_head(name, [*arguments, *forgotten])}"
    if unknown:
        near = instead_of(found) or did_you_mean(unknown[0], (*CALLS, *constants))
        return f"uses {unknown}: not among its arguments, and {ALLOWED}{near}"
    if kind in PAIRS and not _returns_pairs(found, arguments):
        return f"must return {PAIRS[kind]}, two values with a comma between them"
    return ""


def instead_of(nodes: Iterable[ast.AST]) -> str:
    """Say what to write for `np.exp` and its like, "" if nothing like it is among the nodes."""
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr in functions.__all__:
            return f"; write {node.attr}(...) for {ast.unparse(node)}(...)"
    return ""


def _head(name: str, arguments: Iterable[str]) -> str:
    return f"def {name}({', '.join(arguments)})"


def _unknown(function: ast.FunctionDef, found: list[ast.AST], arguments: tuple[str, ...]) -> list[str]:
    """The names in the body that are neither arguments nor assigned nor to be called, in order of appearance."""
    annotations = {id(part) for n in found if isinstance(n, ast.AnnAssign) for part in ast.walk(n.annotation)}
    names = [node for node in found if isinstance(node, ast.Name) and id(node) not in annotations]
    known = {*arguments, *CALLS, *(node.id for node in names if isinstance(node.ctx, ast.Store))}
    names.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in names if node.id not in known))


def _returns_pairs(found: list[ast.AST], arguments: tuple[str, ...]) -> bool:
    """Whether nothing shows that one value or none is returned."""
    single = (ast.BinOp, ast.UnaryOp, ast.Constant, ast.Call, ast.Compare)
    values = {
        target.id: node.value
        for node in found
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    returned = [node.value for node in found if isinstance(node, ast.Return)]
    for value in returned:
        if isinstance(value, ast.Name):
            if value.id in arguments:
                return False
            value = values.get(value.id)
            if value is None:
                continue
        if value is None or isinstance(value, single) or (isinstance(value, ast.Tuple) and len(value.elts) != 2):
            return False
    return bool(returned)
