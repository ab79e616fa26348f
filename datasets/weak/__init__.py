"""Weaker annotations made from full masks: fewer cases, points, boxes and scribbles, what each costs to draw."""
