"""Suspect annotations: what models that never saw a case say of its mask."""
