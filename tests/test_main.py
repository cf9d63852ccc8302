"""The start of the command line: `python -m multisenge_lib`, and Ctrl-C during imports."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from cards import write_card

from multisenge_lib import __main__ as start

#: Stands in for a package that takes long to import; it says when Ctrl-C may come.
SLOW_MODULE = """
import time

print("importing", flush=True)
time.sleep(60)
"""
#: The same inside a callback, where Python prints the traceback of an exception and goes on.
SLOW_CALLBACK = """
import time

class Slow:
    def __del__(self):
        print("importing", flush=True)
        time.sleep(60)

Slow()
"""


def interrupted_while_importing(folder: Path, module: str, source: str, *arguments: str):
    """Start a command that imports a slow module, and send it a SIGINT; its status and stderr."""
    (folder / f"{module}.py").write_text(source)
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-m", "multisenge_lib", *arguments],
        env={**os.environ, "PYTHONPATH": path, "KERAS_BACKEND": "tensorflow"},
        # A shell starts what runs in the background with SIGINT ignored, and children inherit it.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    return process.returncode, err


@pytest.mark.fault("command line: Ctrl-C while a package is imported -> one line, status 130")
@pytest.mark.parametrize("source", [SLOW_MODULE, SLOW_CALLBACK], ids=["module", "callback"])
@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("typer", ["--help"]),  # before the command line can catch anything
        ("numpy", ["check", "root"]),
        pytest.param("rasterio", ["check", "root"], marks=pytest.mark.slow),
        pytest.param("tensorflow", ["evaluate", "model.keras", "root"], marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_import_is_one_line(tmp_path, module, arguments, source):
    model = write_card(tmp_path / "model.keras")
    arguments = [str(model) if word == model.name else word for word in arguments]
    code, err = interrupted_while_importing(tmp_path, module, source, *arguments)
    assert (code, err) == (130, "error: interrupted\n")


def test_work_is_interrupted_by_an_exception_so_that_it_can_tidy_up():
    with pytest.raises(KeyboardInterrupt):
        start._handle_interrupt(signal.SIGINT, sys._getframe())


def test_a_command_runs_as_a_module():
    command = [sys.executable, "-m", "multisenge_lib", "config", "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: python -m multisenge_lib config ")


def test_a_shell_may_have_ctrl_c_ignored(monkeypatch):
    monkeypatch.setattr("multisenge_lib.cli.main", lambda: None)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        start.main()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
