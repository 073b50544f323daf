"""Authentication of callers: without authentication, by token, by their own PostHog key, and by OAuth."""
