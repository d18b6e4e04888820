"""The server's program: command line -> a model in memory -> requests until the process is ended."""

import logging
import os
import sys
import traceback

from aiohttp import web

from axolotl_augft.teacher.entailment.kinds import Unusable
from axolotl_augft.teacher.entailment.loading import load
from axolotl_augft.teacher.entailment.server import make_app
from axolotl_augft.teacher.entailment.settings import ERROR_MARK, KEY_VARIABLE, read_arguments


def main() -> None:
    """Load the model, then listen; a model that cannot be used ends the process with one line that says why."""
    logging.basicConfig(level=logging.WARNING)
    given = read_arguments()
    try:
        scorer = load(given.model)
    except Unusable as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        sys.exit(f"{ERROR_MARK}{error}")
    app = make_app(scorer.score, given.model.model, os.environ.get(KEY_VARIABLE))
    # Signals keep their defaults: there is nothing to finish, and SIGTERM ends the process even while it computes.
    web.run_app(app, host=given.host, port=given.port, handle_signals=False, access_log=None, print=None)


if __name__ == "__main__":
    main()
