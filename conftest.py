"""Notebooks run short under `pytest --nbval`, on small patches; `-m fault` lists the faults."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Notebooks are slow, a fault's words travel with its report; files with slow tests begin.

    So that the workers of `make test`, which take a file at a time, end together.
    """
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("slow")
            _shorten(item.cell)
        for mark in item.iter_markers("fault"):
            item.user_properties.append(("fault", mark.args[0]))
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, item.path.suffix != ".ipynb"))


def _shorten(cell) -> None:
    """Set the notebook's parameters as papermill would, which nbval cannot: a run of few steps."""
    if "parameters" in cell.metadata.get("tags", ()):
        few_steps = "epochs = 1; passes_per_epoch = 1; batch_size = 16"
        cell.source += f"\n{few_steps}; replace_record = True"


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """After `-m fault`: what was done, what must hold, and whether it does; counted."""
    if config.option.markexpr != "fault":
        return
    held: dict[str, bool] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, words in getattr(report, "user_properties", ()):
                if name == "fault":
                    held[words] = held.get(words, True) and outcome == "passed"
    terminalreporter.section(f"{sum(held.values())} of {len(held)} faults survived")
    for words, good in sorted(held.items()):
        terminalreporter.line(f"{'held' if good else 'LOST':<5} {words}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item):
    """The first cell's setup starts the kernel, which takes over these variables."""
    with pytest.MonkeyPatch.context() as patch:
        if item.path.suffix == ".ipynb":
            from samples import cached_sample

            patch.setenv("MULTISENGE_ROOT", str(cached_sample(item.config, 32)))
            patch.setenv("MULTISENGE_RESULTS", str(item.config.rootpath / "runs" / "nbval"))
        return (yield)
