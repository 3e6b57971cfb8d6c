"""What changed between two states of a contract, and the version that the change requires."""
