"""Seeds -> the paper's data sets, with questions whose answers provably follow from the documents."""
