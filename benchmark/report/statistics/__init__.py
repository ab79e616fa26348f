"""Intervals, paired comparisons and ranks of per-case scores."""
