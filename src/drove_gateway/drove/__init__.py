"""The Drove side: asks the controllers, follows the leader, and hands on what it lists."""
