"""Does it teach? The paper's data sets and experiments, run through axolotl (arXiv 2505.00661)."""
