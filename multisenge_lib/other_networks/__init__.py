"""Networks that are not the paper's, in the same frame: same data, loss, schedule and records.

Each module is one network, with one function `build`. See `models/networks.py` for the protocol,
which your own file follows too.
"""
