"""The series as web pages that need nothing but a browser: see __main__.py."""
