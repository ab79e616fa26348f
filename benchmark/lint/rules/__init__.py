"""The registry of rules.

A rule is one decorated function of a table and the user's options that yields findings. Its docstring is its listing:
what must hold, why, and the source. Every rule allows for rounding: a printed number is any number within
half a unit of its last digit, so that no table that was computed and rounded correctly breaks one.
"""

from ....core.registry import Registry

RULES = Registry("rules", __package__ or "", __file__)
