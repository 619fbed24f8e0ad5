"""Which withdrawals of Drove's responses are believed, and which servers stay in traffic."""
