"""The parts of `gpu_check.py`. Each module but the first three has a function `measure(task)`."""
