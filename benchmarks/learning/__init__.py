"""One module for each method: `measure(seed)` trains on the sample data and says what was learned."""
