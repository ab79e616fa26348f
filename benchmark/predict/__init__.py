"""Images of files, folders and arrays segmented with a trained network."""
