"""Judged inferences -> Parquet files of training rows, the manifest and the summary."""
