"""Speed, quality and robustness, measured; each file runs alone: `python -m benchmarks.<group>.<file>`."""
