"""JSON and Python literals read from text, safely."""
