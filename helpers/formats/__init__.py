"""The file formats of recordings, one module each; `helpers.recordings.read` chooses among them."""
