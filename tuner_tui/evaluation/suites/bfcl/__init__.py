"""BFCL V4, the Berkeley Function Calling Leaderboard, by the checkers of the package `bfcl-eval`."""
