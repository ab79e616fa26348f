"""What recipes are assembled from: skeleton, blocks, layers, normalisation, attention, resampling."""
