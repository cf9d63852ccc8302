"""A small, seeded MultiSenGE in the published layout, written in seconds, without a download."""

from multisenge_lib.sample.places import PLACES
from multisenge_lib.sample.village import read_village
from multisenge_lib.sample.write import ensure_sample, find_data_root, write_sample
