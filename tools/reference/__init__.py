"""Build the generated pages of the documentation from the code."""
