"""When progress bars are shown."""


def hide_bar(progress: bool) -> bool | None:
    """Give tqdm's `disable`: with `progress` a bar is shown, but in a terminal alone."""
    # Of tqdm, None means: hidden where standard error is no terminal.
    return None if progress else True
