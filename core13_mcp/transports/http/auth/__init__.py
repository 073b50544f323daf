"""Authentication of callers, with one authenticator for each value of `CORE13_AUTH`."""
