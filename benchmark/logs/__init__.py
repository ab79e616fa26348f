"""What a sweep under way is logged to, besides its records: JSON lines, TensorBoard, MLflow."""
