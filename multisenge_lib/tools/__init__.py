"""Downloading the archives, estimating what a full run takes, counting labels."""

from multisenge_lib.tools.archives import ARCHIVES, URL, download
from multisenge_lib.tools.count_labels import write_label_counts
from multisenge_lib.tools.full_run import format_quantity, measured_rates, plan_full_run
