"""Results of the literature, read from published tables, to stand beside a sweep's own."""
