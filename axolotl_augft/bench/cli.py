"""Command line -> data sets, experiments and reports: `axolotl augft bench …`."""

import click

from axolotl_augft.bench.commands.data_sets import audit, check, make_data, reach
from axolotl_augft.bench.commands.experiments import own, questions, run
from axolotl_augft.bench.commands.reports import plot, table


@click.group()
def bench() -> None:
    """Run the paper's experiments on generated data sets and on your own data."""


for _command in (make_data, check, audit, reach, table, plot, questions, run, own):
    bench.add_command(_command)
