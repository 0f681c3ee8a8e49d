"""The series as web pages that need only a browser: see __main__.py."""
