"""Data sets -> trained and scored students: the experiments of arXiv 2505.00661, run through axolotl."""
