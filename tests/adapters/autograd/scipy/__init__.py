"""SciPy itself; what it does not pass on, tinyspad does not see."""
