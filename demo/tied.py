"""Becomes the command that its arguments name, tied to the process that asked for it.

`python tied.py PARENT COMMAND...`: on Linux the kernel ends the command when its parent is gone, however
that ended; elsewhere the parent's own care must do. Standard library alone, and no import of this package:
it is run as a file, so that it starts fast.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(sys.argv[1]):
            sys.exit("its parent is gone already")
    os.execvp(sys.argv[2], sys.argv[2:])
