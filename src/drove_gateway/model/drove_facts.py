"""Facts about Drove's controllers on which several parts rely ("Drove's controllers")."""

SETTLING_SECONDS = 90.0
"""How long a new leader may respond before it knows all its instances."""
