"""Trials on dask.distributed: a driver hands each worker one trial at a time, and the worker does the rest."""
