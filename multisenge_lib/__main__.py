"""Start the command line: `multisenge COMMAND`, or `python -m multisenge_lib COMMAND`.

This module imports next to nothing before it sets how Ctrl-C ends the process. TensorFlow and
rasterio take seconds to import, and Ctrl-C in these seconds would print a traceback: Python raises
KeyboardInterrupt wherever it stands, so before the command line can catch it, or in a place such as
a callback of the import system, where Python prints the traceback and goes on.
"""

import os
import signal
from types import FrameType

#: The exit status by which shells report a process that Ctrl-C ended: 128 and the signal's number.
_INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Run the command line, and let Ctrl-C end it without a traceback."""
    # Only where Python handles Ctrl-C itself: a shell that starts a command in the background may
    # have it ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _handle_interrupt)
    from multisenge_lib import cli

    cli.main()


def _handle_interrupt(_number: int, frame: FrameType | None) -> None:
    """End the process at once while it imports a module; otherwise raise KeyboardInterrupt.

    Work that writes files gets the exception, so that it can tidy up.
    """
    if not _is_importing(frame):
        raise KeyboardInterrupt
    # Not by print: it may be the very call that was interrupted, and refuses to be called twice.
    os.write(2, b"error: interrupted\n")
    os._exit(_INTERRUPTED)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether the import system is among the calls that led to a frame."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


if __name__ == "__main__":
    main()
