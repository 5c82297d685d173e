"""What can be evaluated: each suite implements the Task protocol."""
