"""The house: each room imports only what stands below it, and by the names that the room gives."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parent.parent / "multisenge_lib"
#: From the ground up; rooms of one floor do not know each other.
FLOORS = (
    {"errors"},
    {"paths"},
    {"files"},
    {"dataset", "paper"},
    {"models"},
    {"results"},
    {"training"},
    {"other_networks"},
    {"area", "audit", "sample"},
    {"maps"},
    {"chapters"},
    {"tools"},
    {"cli"},
)
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py")


def module_of(path: Path) -> tuple[str, ...]:
    return path.relative_to(LIBRARY).with_suffix("").parts


def imports(path: Path) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """Where each name comes from, below the library; the name; the line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("multisenge_lib"):
            source = tuple(node.module.split(".")[1:])
            for alias in node.names:
                yield source or (alias.name,), alias.name, node.lineno
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("multisenge_lib"):
                    yield tuple(alias.name.split(".")[1:]), alias.name, node.lineno


def test_every_room_has_a_floor():
    assert {module_of(path)[0] for path in MODULES} == set(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: ".".join(module_of(path)))
def test_a_room_imports_only_from_below_and_by_public_names(path):
    room = module_of(path)[0]
    for source, name, line in imports(path):
        if source[0] == room:
            continue
        assert FLOOR[source[0]] < FLOOR[room], f"{path}:{line} looks up to {source[0]}"
        assert not name.startswith("_"), f"{path}:{line} takes {name}, private to {source[0]}"
        assert len(source) == 1, f"{path}:{line} reaches past the room into {'.'.join(source)}"


def inner_imports(room: str) -> dict[str, set[str]]:
    edges = {}
    for path in MODULES:
        here = module_of(path)
        if len(here) == 2 and here[0] == room:
            sources = {s[1] if len(s) > 1 else n for s, n, _ in imports(path) if s[0] == room}
            edges[here[1]] = sources - {here[1]}
    return edges


@pytest.mark.parametrize("room", sorted(p.parent.name for p in LIBRARY.glob("*/__init__.py")))
def test_no_circle_inside_a_room(room):
    edges = inner_imports(room)
    while free := {module for module, sources in edges.items() if not sources & set(edges)}:
        edges = {module: sources for module, sources in edges.items() if module not in free}
    assert not edges, f"these import each other: {sorted(edges)}"
