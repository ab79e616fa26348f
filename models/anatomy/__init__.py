"""What looks at a built model: trace, wiring, cost, memory, receptive field, published counts."""
