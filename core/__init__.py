"""What every package uses: registry, task, recipe, trial, record, measure, errors. No TensorFlow, no Keras."""
