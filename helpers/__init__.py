"""The simulator, the statistics and the inference behind the three notebooks."""
