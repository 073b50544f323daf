"""What the sandbox does, told in plain HTTP: nothing here knows the engine."""
