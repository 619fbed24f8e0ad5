"""Trees to Python code."""
