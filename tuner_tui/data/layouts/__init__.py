"""What layout a dataset has: detection, its rows, the files beside it."""
