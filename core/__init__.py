"""Words every room speaks: registry, task, recipe, trial, record, measure, errors. No TensorFlow, no Keras."""
