"""Records on disk, and the machine and versions that they were made with."""
