"""U-Net variants, one short function each, on shared blocks and one skeleton."""

from ..core.registry import Registry

MODELS = Registry("models", __name__, __file__)
