"""CSV, Markdown and LaTeX as grids of printed cells, one file a format."""
