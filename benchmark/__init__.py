"""Sweeps: reading, planning, training, scoring, timing, storing, reporting."""
