"""This server in the configuration of the clients that people use."""
