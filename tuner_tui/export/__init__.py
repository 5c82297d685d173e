"""What leaves the house: the adapter or merged weights, with a model card made from the report."""
