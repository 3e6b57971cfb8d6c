import math


def softmax(x):
    rows = [[math.exp(entry) for entry in row] for row in x.tolist()]
    return x.new_tensor([[entry / math.fsum(row) for entry in row] for row in rows])
