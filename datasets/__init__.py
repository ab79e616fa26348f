"""Data sets, one file each, and how images become training patches."""

from ..core.registry import Registry

DATASETS = Registry("datasets", __name__, __file__)
