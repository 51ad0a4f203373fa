"""The capacity planner: the master's own scheduler under a simulated clock. Reads a configuration; starts nothing."""
