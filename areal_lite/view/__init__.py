"""Two models' answers to the same questions, side by side in a browser on this machine."""
