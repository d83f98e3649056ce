"""Networks made smaller: quantized, pruned, shared, distilled, folded, with narrower weights."""
