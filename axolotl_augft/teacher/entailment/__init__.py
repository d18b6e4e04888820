"""A premise and a statement -> the probability that the statement follows: a server of our own for entailment models.

`python -m axolotl_augft.teacher.entailment MODEL --port N` runs it. It answers like a server of the OpenAI completions
API, so that store, budget, window and retries are those of any teacher. Only the server's process imports torch and
transformers.
"""
