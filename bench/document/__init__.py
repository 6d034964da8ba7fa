"""docs/benchmarks.md and its pictures, rendered from what was measured."""
