"""Model families as data: what they are built of, their sizes, their kernels, what each of their tensors is for."""
