"""Ways to run a trained model, one function each."""

from ..core.registry import Registry

RUNTIMES = Registry("runtimes", __name__, __file__)
