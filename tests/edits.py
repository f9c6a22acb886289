"""What a hand does to a file of names and values: one key has another value, or is gone."""

import copy

REMOVED = object()


def edited(value, path, new):
    """A copy of `value` with `new` at `path`; without that place, where `new` is `REMOVED`."""
    out = copy.deepcopy(value)
    at = out
    for name in path[:-1]:
        at = at[name]
    if new is REMOVED:
        del at[path[-1]]
    else:
        at[path[-1]] = new
    return out
