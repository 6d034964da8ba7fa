"""Run a command on a terminal, as its reader would, and end with its status."""

import os
import pty
import sys

sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
