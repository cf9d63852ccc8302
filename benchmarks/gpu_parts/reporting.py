"""What a part is told, and how it writes down what it measures."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Task:
    """A part's task, and its results so far.

    Attributes:
        name: of the part.
        folder: shared by the parts of a run.
        seconds: how long the part may take, from the moment at which its task was made.
        precision: Keras' dtype policy.
        multiply: how float32 is multiplied, as JAX names it.
        quick: tiny sizes and networks, for a test on a CPU.
        results: what was reported. The name of each number ends with its unit, or says that it is
            a share or a count.
    """

    name: str
    folder: Path
    seconds: float
    precision: str = "float32"
    multiply: str = "default"
    quick: bool = False
    results: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        """Start the clock."""
        self._end = time.monotonic() + self.seconds

    def seconds_left(self) -> float:
        """Return how long the part may still take."""
        return self._end - time.monotonic()

    def report(self, **results: Any) -> None:
        """Add results, and write all of them down, so that a killed part keeps what it has."""
        self.results |= results
        self._write({"results": self.results})

    def fail(self, error: Exception) -> None:
        """Write down the error that ended the part, with the results before it."""
        self._write({"results": self.results, "error": one_line(error)})

    def results_of(self, name: str) -> dict[str, Any]:
        """Return the results of an earlier part; empty where it was skipped or failed at once."""
        return read_part(self.folder, name).get("results", {})

    def _write(self, content: dict[str, Any]) -> None:
        path = self.folder / f"{self.name}.json"
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(content), encoding="utf-8")
        unfinished.replace(path)


def read_part(folder: Path, name: str) -> dict[str, Any]:
    """Return what a part has written down: `results`, and `error` where it failed."""
    path = folder / f"{name}.json"
    if not path.exists():
        return {}
    return json.loads(path.read_text(encoding="utf-8"))


def one_line(error: Exception) -> str:
    """Return an error's kind and the first line of its message."""
    lines = str(error).strip().splitlines()
    message = lines[0] if lines else ""
    return f"{type(error).__name__}: {message}"[:500]
