"""`python -m thalweg.cli`, the same as `python -m thalweg`."""

from thalweg.cli import main

main()
