"""Tasks for agents, played by a scripted agent in the tests, or by a live model."""
