"""SciPy's."""

from scipy.stats import multivariate_normal

pdf, logpdf, entropy = multivariate_normal.pdf, multivariate_normal.logpdf, multivariate_normal.entropy
