"""What every runtime API shares."""
