"""One file a plot, and how all of them look."""
