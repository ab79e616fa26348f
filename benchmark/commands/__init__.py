"""One file a command of the command line; heavy libraries are imported when a command runs."""
