from references.shared import softmax

__all__ = ["softmax"]
