"""Judged inferences -> Parquet files, manifest and summary."""
