"""Run a command that never ends by itself until it has printed a line, then interrupt it."""

import signal
import subprocess
import sys

with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE) as process:
    assert process.stdout is not None
    sys.stdout.buffer.write(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    sys.stdout.buffer.write(process.communicate(timeout=20)[0])
sys.exit(0 if process.returncode in (0, 130) else process.returncode)
