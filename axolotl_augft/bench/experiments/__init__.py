"""Suites -> results: conditions trained by axolotl and scored by lm_eval."""
