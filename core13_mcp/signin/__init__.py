"""Sign-in with OAuth: `login`, the stored sign-in, and the renewal of its access token."""
