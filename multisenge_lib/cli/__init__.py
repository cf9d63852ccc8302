"""The command line, `multisenge COMMAND`; each command calls a few functions of the library.

An error that the user can fix ends a command with one line (one per file where several files are
wrong) and exit code 2. Each command imports what it needs, so that the help appears at once.
"""

# Importing a module of commands adds them to the program, and the help lists them in this order.
# isort: off
from multisenge_lib.cli.app import app
from multisenge_lib.cli import dataset_commands, area_commands, network_commands, result_commands
from multisenge_lib.cli.running import main
