"""Ways to start a run: (config, run directory) -> a detached process or a job."""
