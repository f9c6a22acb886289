"""`python -m thalweg`, where the script `thalweg` is not on the path."""

from thalweg.cli import main

main()
