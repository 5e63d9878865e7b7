"""Benchmarks: ``python -m benchmarks [NAME ...]``; what is measured, and what came out, is in benchmarks/README.md."""
