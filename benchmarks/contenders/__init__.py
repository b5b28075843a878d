"""Ways to step the same weights, each run by `benchmarks.worker` in a process of its own.

Each function takes `Task` and returns one that makes some characters and says how many.
"""
