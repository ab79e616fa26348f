"""Tables of results, anybody's, checked for what cannot be true or does not show what it seems to show."""
