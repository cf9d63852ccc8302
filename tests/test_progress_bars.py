"""When progress bars are shown."""

import io

from tqdm import tqdm

from multisenge_lib.progress_bars import hide_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(file, progress):
    list(tqdm([1, 2], file=file, disable=hide_bar(progress)))
    return file.getvalue() != ""


def test_a_bar_is_shown_in_a_terminal_alone_and_only_if_asked_for():
    assert shown(Terminal(), progress=True)
    assert not shown(Terminal(), progress=False)
    assert not shown(io.StringIO(), progress=True)
