"""What makes a trained model lighter: channels taken out, small weights set to zero."""
