"""A request for tasks whose request does not matter."""

from axolotl_augft.teacher.request import Prefix, Request, Sampling

NO_REQUEST = Request("t", "chat", Prefix("", ""), "", Sampling(0.0, None, 1, (), 0), 0)
