"""The run-time type checker of the suite: beartype, to which an int is a float as it is to every type checker."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
