"""The pages of the library: the public names of each package, from their docstrings."""

from importlib import import_module
from inspect import isclass, isfunction

from sphinx.application import Sphinx

LIBRARY = "multisenge_lib"
#: By page, its packages in the order of their layers. On one page they would be too heavy.
PAGES = {
    "api": ("dataset", "models", "training", "results", "paper"),
    "api_around": ("other_networks", "maps", "area", "audit", "sample", "chapters", "tools"),
}


def entries(package: str) -> list[str]:
    """Give directives of Sphinx's autodoc for the functions and classes that a package offers."""
    module = import_module(f"{LIBRARY}.{package}")
    directives = []
    # `dir` also lists the names that a package loads only when they are asked for.
    for name in dir(module):
        if name.startswith("_"):
            continue
        value = getattr(module, name)
        if not (isfunction(value) or isclass(value)):
            continue
        # What a package takes from elsewhere for its own use is described where it comes from.
        if not value.__module__.startswith(f"{LIBRARY}.{package}"):
            continue
        kind = "autofunction" if isfunction(value) else "autoclass"
        directives.append(f".. {kind}:: {LIBRARY}.{package}.{name}")
    return directives


def section(package: str) -> str:
    """Write a package's part of the page: what it is for, then its entries."""
    purpose = import_module(f"{LIBRARY}.{package}").__doc__.strip().splitlines()[0]
    directives = "\n\n".join(entries(package))
    return f"## {package}\n\n{purpose}\n\n```{{eval-rst}}\n{directives}\n```\n"


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the packages below the page's own text."""
    if page in PAGES:
        sections = [section(package) for package in PAGES[page]]
        source[0] += "\n" + "\n".join(sections)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
