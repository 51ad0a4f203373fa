"""The launcher: checks a configuration, starts this node's processes, watches them, shows progress, stops them."""
