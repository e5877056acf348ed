"""Speed and quality, measured side by side; each file runs alone: `python -m benchmarks.<file>`."""
