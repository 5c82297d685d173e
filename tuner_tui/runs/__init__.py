"""THE CORRIDOR: the run directory that every step shares."""
