"""`axolotl augft bench …`: make data sets, run conditions, audit augmentations, plot. Imports nothing heavy until a command runs."""

import click


@click.group()
def bench() -> None:
    """The paper's experiments, on made data sets and on your own."""
