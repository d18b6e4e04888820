"""What a recipe says of an entailment model -> the arguments of the server's command line, and back."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

KEY_VARIABLE = "AUGFT_SERVER_KEY"
"""Environment variable with the key that the server requires; without it, it requires none."""

ERROR_MARK = "augft: error: "
"""How the line of the server's log begins that says why it cannot start."""


@dataclass(frozen=True)
class EntailmentModel:
    """An entailment model and how it is used. What is None is taken from the model's configuration.

    Attributes:
        model: Name on the hub, or a local folder.
        label: Name or number of the label that means that the statement follows.
        template: How premise and statement are joined into one text, with `{premise}`, `{statement}` and, for the
            tokenizer's end-of-text token, `{eos}`. If None, the tokenizer joins them as a pair.
        max_length: Most tokens of premise, statement and what joins them that the model takes at once.
        device: `auto` (the first GPU, else the CPU) or a device that PyTorch knows, such as `cpu` or `cuda:1`.
    """

    model: str
    label: str | None = None
    template: str | None = None
    max_length: int | None = None
    device: str = "auto"

    def arguments(self) -> list[str]:
        """Return the options of the server's command line, without the model."""
        given = {"--label": self.label, "--template": self.template, "--max-length": self.max_length}
        # Joined by =, because a value may begin with a dash.
        return [f"{name}={value}" for name, value in given.items() if value is not None] + [f"--device={self.device}"]

    @property
    def use(self) -> str:
        """What changes the model's probabilities, in one line; "" if nothing is set."""
        given = {"label": self.label, "template": self.template, "max_length": self.max_length}
        return " ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)


@dataclass(frozen=True)
class ServerArguments:
    """The command line of the server.

    Attributes:
        model: The model to serve.
        host: Address to listen on.
        port: Port to listen on.
    """

    model: EntailmentModel
    host: str
    port: int


def read_arguments(arguments: Sequence[str] | None = None) -> ServerArguments:
    """Read the server's command line; by default that of this process."""
    parser = argparse.ArgumentParser("python -m axolotl_augft.teacher.entailment", description=__doc__)
    parser.add_argument("model", help="name on the hub, or a local folder")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--label", help="name or number of the label that means that the statement follows")
    parser.add_argument("--template", help="one text with {premise} and {statement}, for models that take no pair")
    parser.add_argument("--max-length", type=int, help="most tokens that the model takes at once")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 ...")
    given = parser.parse_args(arguments)
    model = EntailmentModel(given.model, given.label, given.template, given.max_length, given.device)
    return ServerArguments(model, given.host, given.port)
