"""SciPy's functions; logsumexp is tinyspad's, for SciPy's is a plain function."""

from scipy.special import *  # noqa: F403

from tinyspad import logsumexp

__all__ = ["logsumexp"]
