from kernels import softmax

__all__ = ["softmax"]
