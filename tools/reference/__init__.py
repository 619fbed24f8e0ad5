"""Build the generated pages of the documentation from the code.

`python -m tools.reference.PAGE --write` writes the files of a page into docs/reference; `--check`
exits with 1 if a committed file is out of date. PAGE is commands, configuration, http_api, metrics
or templates.
"""
