"""The teacher model: requests, answers, the client that sends them, servers that the stage starts, prices."""
