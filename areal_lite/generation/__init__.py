"""One generation server: tickets in, scored trajectories out, new weights loaded while it generates."""
