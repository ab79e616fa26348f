"""A trained model that is updated with data which came later, and the gate that a new one has to pass."""
