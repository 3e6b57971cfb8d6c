"""The stages of a forward pass: where each is seen, and the tensors that were seen there."""
