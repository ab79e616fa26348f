"""Scores of one case and class, one function each."""

from ..core.registry import Registry

METRICS = Registry("metrics", __name__, __file__)
