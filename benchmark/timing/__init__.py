"""How long a call takes: warm-up, clock and options; raw samples only."""
