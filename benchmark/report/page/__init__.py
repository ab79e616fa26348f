"""The self-contained HTML page and its fixed sentences."""
