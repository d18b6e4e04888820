"""The paper's data sets, made from seeds, with questions that are proven to follow."""
