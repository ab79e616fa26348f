"""From the records of a sweep to tables, plots and one HTML page; loads neither TensorFlow nor Keras."""
