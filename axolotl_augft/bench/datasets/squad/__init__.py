"""SQuAD 1.1 -> passages to train on, and questions about them that are asked without them."""
