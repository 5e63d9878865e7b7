"""NumPy itself: tinyspad needs no other."""

from numpy import *  # noqa: F403
