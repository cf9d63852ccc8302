"""Notebooks run short under `pytest --nbval`, on the sample; committed records stay as they are."""

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item):
    """The first cell's setup starts the kernel, which takes over these variables."""
    with pytest.MonkeyPatch.context() as patch:
        if item.path.suffix == ".ipynb":
            patch.setenv("MULTISENGE_EPOCHS", "1")
            patch.setenv("MULTISENGE_ROOT", "")
            patch.setenv("MULTISENGE_RESULTS", str(item.config.rootpath / "runs" / "nbval"))
        return (yield)
