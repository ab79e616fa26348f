"""Many trials: worker processes, the runner that drives them, and what a person sees of it."""
