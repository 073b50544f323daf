"""Tasks for agents, and two agents that play them: a scripted one for everybody, a live model for whoever has a key."""
