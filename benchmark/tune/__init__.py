"""The search over trials: keras-tuner is asked for settings and told scores; all else is our own."""
