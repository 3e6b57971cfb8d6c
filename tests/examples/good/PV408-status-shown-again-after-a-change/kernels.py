"""The code under test."""


def softmax(x):
    return x.softmax(-1)


def softmax_in_place(x):
    return x.softmax_(-1)
