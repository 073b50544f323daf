"""The page that a browser shows at the server's address."""
