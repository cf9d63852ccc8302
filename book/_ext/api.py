"""The page of the library, `api.md`: what each room gives, from the docstrings."""

import ast
from importlib import import_module
from inspect import getsource, isclass, isfunction
from types import ModuleType

from sphinx.application import Sphinx

PAGE, LIBRARY = "api", "multisenge_lib"
ROOMS = (
    "dataset",
    "models",
    "training",
    "results",
    "paper",
    "maps",
    "area",
    "audit",
    "sample",
    "chapters",
    "tools",
)


def names(module: ModuleType) -> list[str]:
    """The names that a room takes from its modules, at once or when they are first asked for."""
    nodes = list(ast.walk(ast.parse(getsource(module))))
    at_once = [
        alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    listed = [item for node in nodes if isinstance(node, ast.List) for item in node.elts]
    return sorted({*at_once, *(item.value for item in listed if isinstance(item, ast.Constant))})


def entries(room: str) -> list[str]:
    """Directives of Sphinx's autodoc for the functions and classes that a room gives by name."""
    module = import_module(f"{LIBRARY}.{room}")
    found = []
    for name in names(module):
        value = getattr(module, name)
        if not (isfunction(value) or isclass(value)) or not value.__module__.startswith(LIBRARY):
            continue
        kind = "autofunction" if isfunction(value) else "autoclass"
        found.append(f".. {kind}:: {LIBRARY}.{room}.{name}")
    return found


def section(room: str) -> str:
    """A room's part of the page: what it is for, then its entries."""
    purpose = import_module(f"{LIBRARY}.{room}").__doc__.strip().splitlines()[0]
    listed = "\n\n".join(entries(room))
    return f"## {room}\n\n{purpose}\n\n```{{eval-rst}}\n{listed}\n```\n"


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the rooms below the page's own text."""
    if page == PAGE:
        source[0] += "\n" + "\n".join(map(section, ROOMS))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
