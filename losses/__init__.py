"""Loss functions on logits, one function each."""

from ..core.registry import Registry

LOSSES = Registry("losses", __name__, __file__)
