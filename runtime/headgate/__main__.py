"""`python -m headgate`: the command line, where there is no console script, as in the image."""

from headgate.cli import main

main()
