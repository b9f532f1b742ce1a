"""How long tests wait for what has to happen.

Such a limit proves nothing: it ends the test of what never happens. How long it took is measured and printed.
"""

TIMES_AS_LONG = 6
"""On a machine that runs several tests side by side, and whose owner works on it."""


def patience(seconds: float) -> float:
    """What to allow for something that takes at most so long on an idle machine."""
    return TIMES_AS_LONG * seconds
