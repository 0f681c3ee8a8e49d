"""A fingerprint of content: the same for what computes the same, another one as soon as an ingredient was edited.

Data count by their bits, functions by their syntax tree together with every function, class and constant that they
refer to. Comments, docstrings, type hints and the place in a file do not count, nor do the versions of Python and of
installed packages: a file that holds a fingerprint can move to another machine (see `versions` where they matter).

Where Python has no source of a function, or where the file was edited after it was imported, the function counts by
its bytecode, which differs between versions of Python: another fingerprint than necessary, never one that is wrong.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import dis
import functools
import hashlib
import importlib.metadata
import inspect
import linecache
import platform
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from types import BuiltinFunctionType, CodeType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from numba.core.dispatcher import Dispatcher

__all__ = ["fingerprint", "fingerprint_of_text", "versions"]

PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))
# What a class holds besides its own text: made by Python, by pickle or by @dataclass from what is looked at anyway.
MADE = {
    "__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__firstlineno__", "__static_attributes__",
    "__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__", "__replace__", "__match_args__",
    "__dataclass_fields__", "__dataclass_params__", "__annotate_func__", "__annotations_cache__", "__slotnames__",
}  # fmt: skip


def fingerprint(*things: Any) -> str:
    """64 hexadecimal digits that stand for the content of `things`, the same in every process.

    Raises ValueError for an iterator, whose content is gone once it has been read.
    """
    return _Reader().of(things)


def fingerprint_of_text(*functions: Any) -> str:
    """64 hexadecimal digits for the text of functions and properties alone, without what they refer to."""
    plain: list[Any] = [function.fget if isinstance(function, property) else function for function in functions]
    trees = [(function, _tree_of(function)) for function in plain]
    return _digest(*(function.__code__.co_code if tree is None else _plain_text(tree) for function, tree in trees))


def versions(*packages: str) -> dict[str, str]:
    """The version of Python (without its last number) and of installed packages, by name."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, **{name: _package_version(name) for name in packages}}


_package_version = functools.cache(importlib.metadata.version)  # it looks through many folders


class _Reader:
    """Goes through everything that can be reached once; what refers to itself counts by name the second time."""

    def __init__(self) -> None:
        self.known: dict[int, str] = {}
        self.alive: list[Any] = []  # an id stands for an object only as long as the object lives

    def of(self, thing: Any) -> str:
        if isinstance(thing, PLAIN) and type(thing) in PLAIN:
            return _digest(type(thing).__name__, repr(thing))
        if id(thing) not in self.known:
            self.known[id(thing)] = _digest("again", _name(thing))
            self.alive.append(thing)
            self.known[id(thing)] = _digest(*self.parts(thing))
        return self.known[id(thing)]

    def parts(self, thing: Any) -> Iterator[str | bytes]:
        yield type(thing).__qualname__
        if isinstance(thing, torch.Tensor):
            thing = thing.detach().cpu().numpy()
        if isinstance(thing, np.ndarray | np.generic) and thing.dtype != object:
            yield from (thing.dtype.str, str(thing.shape), np.ascontiguousarray(thing).tobytes())
        elif isinstance(thing, np.ndarray):
            yield from (str(thing.shape), *map(self.of, thing.flat))
        elif isinstance(thing, Mapping):
            yield from (self.of(part) for item in thing.items() for part in item)
        elif isinstance(thing, tuple | list):
            yield from map(self.of, thing)
        elif isinstance(thing, set | frozenset):
            yield from sorted(map(self.of, thing))
        elif isinstance(thing, Dispatcher):
            yield from (self.of(thing.py_func), self.of(dict(thing.targetoptions)))
        elif isinstance(thing, staticmethod | classmethod | functools.cached_property | property):
            accessors = (getattr(thing, name, None) for name in ("__func__", "func", "fget", "fset"))
            yield from map(self.of, accessors)
        elif isinstance(thing, functools.partial):
            yield from map(self.of, (thing.func, thing.args, thing.keywords))
        elif isinstance(thing, MethodType):
            yield from (self.of(thing.__func__), self.of(thing.__self__))
        elif isinstance(thing, ModuleType | type | FunctionType | BuiltinFunctionType) and _installed(thing):
            yield _name(thing)
        elif isinstance(thing, ModuleType):
            yield thing.__name__  # what is used of it is looked at where it is used
        elif isinstance(thing, type):
            yield from self.of_class(thing)
        elif isinstance(thing, FunctionType):
            yield from self.of_function(thing)
        elif hasattr(thing, "__wrapped__"):
            yield self.of(thing.__wrapped__)
        else:
            yield from self.of_instance(thing)

    def of_class(self, kind: type) -> Iterator[str]:
        yield _name(kind)
        yield from map(self.of, kind.__bases__)
        made = MADE if dataclasses.is_dataclass(kind) else MADE - {"__init__", "__repr__", "__eq__", "__hash__"}
        for name, value in sorted(vars(kind).items()):
            if name not in made and not name.startswith("_abc_"):
                yield from (name, self.of(value))
        if dataclasses.is_dataclass(kind):
            for field in dataclasses.fields(kind):
                yield from (field.name, self.of(_given(field.default)), self.of(_given(field.default_factory)))
                yield self.of(field.metadata)

    def of_function(self, function: FunctionType) -> Iterator[str]:
        yield from (function.__name__, self.of(function.__defaults__), self.of(function.__kwdefaults__))
        tree = _tree_of(function)
        yield from self.of_code(function.__code__, function.__doc__) if tree is None else ["tree", _plain_text(tree)]
        for cell in function.__closure__ or ():
            try:
                content = cell.cell_contents
            except ValueError:  # the cell is empty
                continue
            yield self.of(content)
        for name, value in _referred(function):
            yield from (name, self.of(value))

    def of_code(self, code: CodeType, doc: str | None) -> Iterator[str]:
        constants = [None if entry == doc and i == 0 else entry for i, entry in enumerate(code.co_consts)]
        yield from (code.co_code.hex(), repr(code.co_names), repr(code.co_exceptiontable), repr(code.co_varnames))
        for entry in constants:
            yield _digest(*self.of_code(entry, None)) if isinstance(entry, CodeType) else self.of(entry)

    def of_instance(self, thing: Any) -> Iterator[str]:
        if hasattr(type(thing), "__dask_tokenize__"):  # the protocol by which an object tells its own content
            yield from (_name(thing), self.of(thing.__dask_tokenize__()))
            return
        yield self.of(type(thing))
        if isinstance(thing, GeneratorType) or (hasattr(thing, "__next__") and hasattr(thing, "__iter__")):
            raise ValueError(f"a {type(thing).__name__} has no content to tell it by: make a list or an array of it")
        elif dataclasses.is_dataclass(thing):
            yield from (self.of(getattr(thing, field.name)) for field in dataclasses.fields(thing) if field.compare)
        elif hasattr(thing, "__dict__") and not _installed(type(thing)):
            kept = {name for name, value in vars(type(thing)).items() if isinstance(value, functools.cached_property)}
            yield from (part for name, value in sorted(vars(thing).items()) if name not in kept
                        for part in (name, self.of(value)))  # fmt: skip
        else:
            try:
                reduced = thing.__reduce_ex__(4)
            except Exception:  # a lock, a file, a thread: nothing that a result depends on
                return
            listed = [list(part) if isinstance(part, Iterator) else part for part in reduced]
            yield from map(self.of, listed)


def _tree_of(function: FunctionType) -> ast.AST | None:
    """Return the syntax tree of a function; None where the source that Python has is not what runs."""
    file = function.__code__.co_filename
    linecache.checkcache(file)
    codes, trees = _parsed("".join(linecache.getlines(file, function.__globals__)), file)
    key = function.__code__.co_firstlineno, function.__code__.co_name
    found = trees.get(key, [])
    return found[0] if len(found) == 1 and codes.get(key) == [function.__code__] else None


@functools.lru_cache(maxsize=64)
def _parsed(text: str, file: str) -> tuple[Mapping[Any, list[CodeType]], Mapping[Any, list[ast.AST]]]:
    """Return code objects and syntax trees of all functions in a file, by first line and name."""
    codes: dict[tuple[int, str], list[CodeType]] = {}
    trees: dict[tuple[int, str], list[ast.AST]] = {}
    try:
        tree = ast.parse(text)
        left = [compile(text, file, "exec", dont_inherit=True)]
    except (SyntaxError, ValueError):
        return codes, trees
    while left:
        code = left.pop()
        codes.setdefault((code.co_firstlineno, code.co_name), []).append(code)
        left += [entry for entry in code.co_consts if isinstance(entry, CodeType)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            trees.setdefault((first, node.name), []).append(node)
        elif isinstance(node, ast.Lambda):
            trees.setdefault((node.lineno, "<lambda>"), []).append(node)
    return codes, trees


NOT_RUN = {"decorator_list", "returns", "annotation", "type_comment", "type_params", "ctx", "kind"}


def _plain_text(node: Any) -> str:
    """Write a syntax tree in a form that is the same in every version of Python, without hints and docstrings."""
    if isinstance(node, list):
        return f"[{','.join(map(_plain_text, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = {name: part for name, part in ast.iter_fields(node) if part not in (None, []) and name not in NOT_RUN}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node, clean=False) is not None:
        parts["body"] = node.body[1:]
    return f"{type(node).__name__}({','.join(f'{name}={_plain_text(part)}' for name, part in parts.items())})"


def _referred(function: FunctionType) -> Iterable[tuple[str, Any]]:
    """Name and value of every global that the function refers to, itself or in a function inside it."""
    found: dict[str, Any] = {}
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [entry for entry in code.co_consts if isinstance(entry, CodeType)]
        module, path = None, ""
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                module, path = function.__globals__.get(step.argval), step.argval
                if step.argval in function.__globals__:
                    found[path] = module
                elif not hasattr(builtins, step.argval):
                    found[path] = None
            elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(module, ModuleType):
                if _installed(module):  # by name: sys.modules and its like change all the time
                    module = None
                    continue
                path, module = f"{path}.{step.argval}", getattr(module, step.argval, None)
                if module is not None and not isinstance(module, ModuleType):
                    found[path] = module
                    module = None
            elif step.opname == "IMPORT_NAME":
                package = function.__globals__.get("__package__") or ""
                module, path = sys.modules.get(step.argval) or sys.modules.get(f"{package}.{step.argval}"), step.argval
            elif step.opname == "IMPORT_FROM" and isinstance(module, ModuleType):
                found[f"{path}.{step.argval}"] = getattr(module, step.argval, None)
            elif step.opname not in ("PUSH_NULL", "CACHE", "STORE_FAST", "STORE_DEREF"):
                module = None
    return sorted(found.items())


def _installed(thing: Any) -> bool:
    """Whether a module, class or function comes with Python or a package."""
    module = thing if isinstance(thing, ModuleType) else sys.modules.get(getattr(thing, "__module__", None) or "")
    if module is None or module.__name__ == "__main__":
        return isinstance(thing, BuiltinFunctionType)
    try:
        path = inspect.getfile(module)
    except TypeError:  # built into Python
        return True
    return path.startswith(_package_folders()) or "-packages/" in path.replace("\\", "/")


@functools.cache  # not a constant, which would enter the fingerprint of all that calls `fingerprint`
def _package_folders() -> tuple[str, ...]:
    return tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def _name(thing: Any) -> str:
    if isinstance(thing, ModuleType):
        return thing.__name__
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{getattr(named, '__module__', '')}.{named.__qualname__}"


def _given(default: Any) -> Any:
    return None if default is dataclasses.MISSING else default


def _digest(*parts: str | bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()
