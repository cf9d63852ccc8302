"""An epoch of reading patches: the packed store on disk against the GeoTIFFs it was packed from.

    python benchmarks/bench_batches.py [--size 256] [--rounds 3]

Both read the same patches of a sample, all sensors and dates, in turns; the ratio is taken turn by
turn, since the machine may be shared. Files are in the system's cache after the first turn.
"""

import argparse
import os
import statistics
import tempfile
import time

from multisenge_lib.dataset import load_selection, pack, read_patch
from multisenge_lib.sample import ensure_sample

NAMES = ("s1", "s2", "reference")


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--patches", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("MULTISENGE_CACHE", folder)
        root = ensure_sample(given.size)
        selection = load_selection(root).head(given.patches)
        rows = list(selection.itertuples())
        packing = time.perf_counter()
        store = pack(root, selection, folder)
        packing = time.perf_counter() - packing

        def from_rasters():
            for row in rows:
                read_patch(root, row)

        def from_store():
            for position in store.patches["position"]:
                for name in NAMES:
                    store.read(name, position)

        turns = [(seconds(from_rasters), seconds(from_store)) for _ in range(given.rounds)]
        raw = sum(array.nbytes for array in store.arrays.values())
        stored = sum(p.stat().st_size for p in store.path.rglob("*") if p.is_file())
    ratios = [rasters / packed for rasters, packed in turns]
    rasters, packed = (
        1000 * statistics.median(column) / len(rows) for column in zip(*turns, strict=True)
    )
    middle = statistics.median(ratios)
    print(f"{len(rows)} patches of {given.size} pixels, {raw / len(rows) / 1e6:.1f} MB each")
    print(f"packing once     {1000 * packing / len(rows):7.1f} ms a patch, to {stored / raw:.0%}")
    print(f"GeoTIFFs         {rasters:7.1f} ms a patch")
    print(f"packed store     {packed:7.1f} ms a patch")
    print(f"ratio            {middle:7.1f} ({min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
