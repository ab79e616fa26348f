"""How an exported file is run, one file a runtime, in NumPy and that runtime alone.

These files are copied into export folders as they are, so what is measured here is what runs there. Each has a function
`load(file, threads=0, **options)` that returns a call, images (n, *space, c) float32 to logits (n, *space, k) float32,
and what the session is: a dictionary of JSON values.
"""
