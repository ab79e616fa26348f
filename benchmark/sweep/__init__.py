"""Which trials: the sweep file, the parts it chooses, and the trials that follow with their cost."""
