"""The oracle of microGPT: scalars, plain loops, the standard library; it imports nothing of the project but itself."""
