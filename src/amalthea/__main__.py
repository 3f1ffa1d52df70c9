"""`python -m amalthea`."""

from amalthea.cli import main

main()
