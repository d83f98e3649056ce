"""The exact trade-off search: which knobs for which layer, under which budget, from measured layers.

In: a design's layers with all their configurations. Out: the best assignment, or the whole Pareto front, with proof.
"""
