"""A request -> an answer of the teacher model: the client, the servers that the stage starts, prices."""
