"""Series over time: the next rows from the last ones."""
