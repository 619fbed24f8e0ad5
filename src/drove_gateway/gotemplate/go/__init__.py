"""Go's values, types, formats and times, as Python holds them."""
