"""autograd's names for tinyspad's functions, with which autograd's own tests run."""

from tinyspad import grad

__all__ = ["grad"]
