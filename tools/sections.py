"""A lesson as a reader goes through it: the opening, then sections of cells; and what each cell holds, by its code."""

from __future__ import annotations

import ast
import builtins
import re
import statistics
import symtable
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode

__all__ = ["Binding", "Cell", "Lesson", "Section", "bindings", "names_bound", "names_used"]

EXPLORER = re.compile(r"explore_\w+|live_bench")
FIGURE_MAKERS = {"figure", "subplots", "subplot_mosaic", "grid_of_panels"}
FIGURE_NAMES = re.compile(r"fig|figure|figures|ax|axes|ax_\w+|\w+_axes|panels|_")
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, *COMPREHENSIONS)
OF_IPYTHON = {"display", "get_ipython", "In", "Out", "_"}


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook.

    Parameters
    ----------
    index
        Its place in the notebook.
    kind
        "markdown", "code" or "raw".
    source
        Its text.
    hidden
        Whether its code is folded away.
    name
        Its id in the file.
    """

    index: int
    kind: str
    source: str
    hidden: bool = False
    name: str = ""

    @property
    def is_colab(self) -> bool:
        """Whether this is the cell that installs the series on Google Colab."""
        return self.kind == "code" and self.source.startswith("# Google Colab")

    @property
    def is_read(self) -> bool:
        """Whether a reader is meant to read it."""
        return not self.hidden and not self.is_colab

    @cached_property
    def lines(self) -> list[str]:
        """The lines of code that a reader sees, without blank ones."""
        return [line for line in self.source.splitlines() if line.strip()] if self.kind == "code" else []

    @cached_property
    def tree(self) -> ast.Module:
        """The code, without IPython's commands; nothing for text and for the Colab cell."""
        if self.kind != "code" or self.is_colab:
            return ast.Module([], [])
        return ast.parse(re.sub(r"(?m)^(\s*)[!%].*", r"\1pass", self.source))

    @property
    def calls(self) -> list[ast.Call]:
        """Every call in the code."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]

    @property
    def words(self) -> int:
        """Words of text, folded answers included; HTML and addresses of links are not words."""
        if self.kind != "markdown":
            return 0
        text = re.sub(r"<[^>]+>|\]\([^)]*\)", " ", self.source)
        return sum(bool(re.search(r"\w", word)) for word in text.split())

    @property
    def predictions(self) -> int:
        """How often it asks for a prediction."""
        return len(re.findall(r"Predict first", self.source)) if self.kind == "markdown" else 0

    @property
    def explorers(self) -> int:
        """How many explorers it opens."""
        return sum(bool(EXPLORER.fullmatch(name_of(call))) for call in self.calls)

    @property
    def drawings(self) -> int:
        """How many drawings it shows."""
        return sum(name_of(call) == "drawing" for call in self.calls)

    @property
    def figures(self) -> int:
        """How many figures it makes: calls that open one, or one if it only draws or shows."""
        made = drawn = 0
        for call in self.calls:
            name = name_of(call)
            makes = name in FIGURE_MAKERS or (name.startswith("plot_") and not takes_axes(call))
            made += makes
            drawn += not makes and (name.startswith("plot") or name == "show")
        return max(made, int(drawn > 0))

    @property
    def checks(self) -> int:
        """How many claims it checks."""
        return sum(name_of(call) == "check" for call in self.calls)

    @property
    def asserts(self) -> int:
        """How many assert statements it has."""
        return sum(isinstance(node, ast.Assert) for node in ast.walk(self.tree))

    @property
    def nested_comprehensions(self) -> int:
        """How many comprehensions have two loops, or another comprehension inside."""
        found = [node for node in ast.walk(self.tree) if isinstance(node, COMPREHENSIONS)]
        inside = [[other for other in ast.walk(node) if isinstance(other, COMPREHENSIONS)] for node in found]
        return sum(len(node.generators) + len(others) > 2 for node, others in zip(found, inside, strict=True))


@dataclass(frozen=True)
class Section:
    """A heading "## N. Title" and the cells up to the next one; the opening has no number and no heading."""

    number: int | None
    title: str
    cells: tuple[Cell, ...]

    @property
    def code(self) -> list[Cell]:
        """The code cells, without the one for Google Colab."""
        return [cell for cell in self.cells if cell.kind == "code" and not cell.is_colab]

    def total(self, count: Callable[[Cell], int]) -> int:
        """Add up what the cells that a reader sees have of something."""
        return sum(count(cell) for cell in self.cells if cell.is_read)


class Lesson:
    """A notebook in sections.

    Parameters
    ----------
    path
        The file.
    notebook
        Its content, if it is read already.

    Attributes
    ----------
    cells
        All cells.
    opening
        What is before the first section; its code is run before any section.
    sections
        The sections, in order.
    """

    def __init__(self, path: Path, notebook: NotebookNode | None = None) -> None:
        self.path = path
        self.notebook = nbformat.read(path, as_version=4) if notebook is None else notebook
        self.cells = [
            Cell(i, cell.cell_type, cell.source, is_hidden(cell), cell.get("id", str(i)))
            for i, cell in enumerate(self.notebook.cells)
        ]
        starts = [cell.index for cell in self.cells if heading(cell)]
        if not starts:  # a short notebook: all after the cell of imports is one section
            code = [cell.index for cell in self.cells if cell.kind == "code" and not cell.is_colab]
            starts = [code[0] + 1] if code else [len(self.cells)]
        self.opening = Section(None, "Opening", tuple(self.cells[: starts[0]]))
        ends = [*starts[1:], len(self.cells)]
        self.sections = [self._section(begin, end) for begin, end in zip(starts, ends, strict=True) if begin < end]

    def _section(self, begin: int, end: int) -> Section:
        found = heading(self.cells[begin])
        number, title = found if found else (None, self.path.stem)
        return Section(number, title, tuple(self.cells[begin:end]))

    @property
    def all(self) -> list[Section]:
        """The opening and the sections."""
        return [self.opening, *self.sections]

    def section_that_binds(self, name: str) -> Section:
        """Return the section, or the opening, that gives a global name its value; KeyError if none does."""
        for section in self.all:
            if any(name in names_bound(cell) for cell in section.code):
                return section
        raise KeyError(name)

    def visible_lines(self) -> list[int]:
        """How many lines each code cell shows, without the cell for Google Colab."""
        return [len(cell.lines) for cell in self.cells if cell.kind == "code" and cell.is_read]

    def style(self) -> str:
        """Cells, median, nine of ten and most lines, and the longest line, in words."""
        lines = sorted(self.visible_lines()) or [0]
        widest = max((len(line) for cell in self.cells if cell.is_read for line in cell.lines), default=0)
        nine_of_ten = lines[max(0, -(-9 * len(lines) // 10) - 1)]
        return (
            f"{len(lines)} code cells that are seen: median {statistics.median(lines):g} lines, "
            f"nine of ten at most {nine_of_ten}, none over {lines[-1]}; at most {widest} columns"
        )


def heading(cell: Cell) -> tuple[int | None, str] | None:
    """Return number and title if the cell begins a section."""
    found = re.search(r"(?m)^## (?:(\d+)\. )?(.+)$", cell.source) if cell.kind == "markdown" else None
    return (int(found[1]) if found[1] else None, found[2].strip()) if found else None


def is_hidden(cell: NotebookNode) -> bool:
    """Whether a reader does not see the code: folded away, or tagged so."""
    tags = {"hide-input", "remove-input", "hide-cell", "remove-cell"} & set(cell.metadata.get("tags", []))
    return bool(tags or cell.metadata.get("jupyter", {}).get("source_hidden", False))


def name_of(call: ast.Call) -> str:
    """Return the last part of what is called: "plot_spike" for `figures.plot_spike(...)`."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def takes_axes(call: ast.Call) -> bool:
    """Whether a call is given axes to draw into: by keyword, or first as `ax`, `axes[0]` and the like."""
    if any(word.arg in ("ax", "axes") for word in call.keywords):
        return True
    first = call.args[0] if call.args else None
    while isinstance(first, ast.Subscript | ast.Attribute | ast.Starred):
        first = first.value
    return isinstance(first, ast.Name) and bool(re.match(r"ax|panel|left$|right$|top$|bottom$", first.id))


# ----------------------------------------------------------------------------------------------------------- names


@dataclass(frozen=True)
class Binding:
    """That a cell gives a value to a global name: `how` is "loop", "import ..." with what is imported, or "value"."""

    name: str
    how: str

    @property
    def is_of_a_figure(self) -> bool:
        """Whether the name is one of those that every figure uses."""
        return bool(FIGURE_NAMES.fullmatch(self.name))


def bindings(cell: Cell) -> list[Binding]:
    """Return every global name that the cell binds, with how."""
    return list(_bindings(cell.tree.body))


def names_bound(cell: Cell) -> set[str]:
    """Return the global names that the cell binds."""
    return {binding.name for binding in bindings(cell)}


def names_used(cell: Cell) -> set[str]:
    """Return the global names that the cell needs from other cells: read here, neither bound here nor Python's own.

    Whether they are read by the cell itself or by a function that it defines makes no difference.
    """
    return _free(cell.tree) - set(dir(builtins)) - OF_IPYTHON


def _bindings(body: Sequence[ast.stmt]) -> Iterator[Binding]:
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield Binding(name, "value")
                continue
            case ast.Import(names=names):
                yield from (Binding((n.asname or n.name).split(".")[0], f"import {n.name}") for n in names)
                continue
            case ast.ImportFrom(module=module, names=names):
                yield from (Binding(n.asname or n.name, f"import {module}.{n.name}") for n in names)
                continue
        for part in ast.iter_child_nodes(statement):
            if isinstance(part, ast.stmt):
                yield from _bindings([part])
            elif isinstance(part, ast.ExceptHandler | ast.match_case):
                yield from _bindings(part.body)
            else:
                is_loop = isinstance(statement, ast.For) and part is statement.target
                yield from (Binding(name, "loop" if is_loop else "value") for name in _stored(part))


def _stored(node: ast.AST) -> Iterator[str]:
    """Names that an expression or target binds in its own scope; a walrus also from inside a comprehension."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.id
    elif isinstance(node, COMPREHENSIONS):
        yield from (inner.target.id for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))
    elif not isinstance(node, SCOPES):
        for part in ast.iter_child_nodes(node):
            yield from _stored(part)


def _free(module: ast.Module) -> set[str]:
    """Names that a cell reads from the notebook and does not bind itself, by Python's own table of symbols."""
    if not module.body:
        return set()
    tables = [symtable.symtable(ast.unparse(module), "<cell>", "exec")]
    bound = {symbol.get_name() for symbol in tables[0].get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    used: set[str] = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global()):
                used.add(symbol.get_name())
    return used - bound
