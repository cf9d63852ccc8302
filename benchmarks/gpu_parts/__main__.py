"""Run one part in this process: `gpu_check.py` starts it."""

import argparse
import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from gpu_parts.reporting import Task


class WithoutTensorFlow:
    """A finder of modules that does not find TensorFlow.

    Keras imports it where it can, even when it runs on JAX: that takes seconds, and a second
    framework would ask for memory on the GPU. No module may be told so by an error or by a
    placeholder: PyTorch and Keras both look whether TensorFlow could be imported.

    Args:
        finder: finds everything else.
    """

    def __init__(self, finder: Any):
        self.finder = finder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find any other module."""
        if name.partition(".")[0] == "tensorflow":
            return None
        return self.finder.find_spec(name, path, target)

    def __getattr__(self, name: str) -> Any:
        """Offer what else the finder does, such as finding the versions of packages."""
        return getattr(self.finder, name)


def main() -> None:
    """Measure, and write down what was measured, or the error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("module")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    task = Task(
        name=arguments.name,
        folder=arguments.folder,
        seconds=arguments.seconds,
        precision=arguments.precision,
        multiply=os.environ.get("JAX_DEFAULT_MATMUL_PRECISION", "default"),
        quick=arguments.quick,
    )
    sys.meta_path[:] = [WithoutTensorFlow(finder) for finder in sys.meta_path]
    try:
        module = importlib.import_module(f"gpu_parts.{arguments.module}")
        module.measure(task)
    except Exception as error:
        traceback.print_exc()
        task.fail(error)
        sys.exit(1)


if __name__ == "__main__":
    main()
