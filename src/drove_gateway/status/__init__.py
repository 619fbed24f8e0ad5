"""The status of the gateway as a frozen value, and the documents made from it."""
