"""How the process keeps its memory."""

import ctypes


def keep_freed_memory() -> None:
    """Let the C library keep the memory of freed arrays for the next ones, in the whole process.

    Call it once, at the start of a script that packs or trains on Linux. By default glibc gives
    each large array back to the system and asks for zeroed pages again for the next one. Packing
    and training make and free large arrays all the time: a training step on the sample took about
    0.5 s with this call and over 1.3 s without it, half of which was the system's work on pages.

    This changes the memory of the whole process for good: freed memory stays taken. So no function
    of the library calls it. The notebook, the Snakefile, the benchmarks and `multisenge transfer`
    do. Nothing happens where the C library has no `mallopt` (macOS, Windows, musl).

    Examples:
        >>> import multisenge_lib as ms
        >>> ms.keep_freed_memory()  # doctest: +SKIP
    """
    trim_threshold = -1  # M_TRIM_THRESHOLD in glibc's malloc.h
    mmap_max = -4  # M_MMAP_MAX
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # TypeError: Windows
        return
    mallopt(trim_threshold, 2**31 - 1)  # give memory back only beyond 2 GiB
    mallopt(mmap_max, 0)  # and map no array on its own
