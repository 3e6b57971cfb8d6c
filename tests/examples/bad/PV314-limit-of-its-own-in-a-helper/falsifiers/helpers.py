"""What the attacks share."""


def near(one, other):
    return (one - other).abs().max().item() < 1e-3


def far(total):
    return round(total, 3) != 1.0


def unused(one, other):
    return abs(one - other) < 1e-3
