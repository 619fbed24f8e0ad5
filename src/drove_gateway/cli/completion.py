"""Completion for fish with whole descriptions; the script of click cuts them at the first comma."""

from click.shell_completion import FishComplete, add_completion_class


class Fish(FishComplete):
    """click's completion, whose lines are `TYPE,VALUE<tab>DESCRIPTION`, split only once."""

    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


def install() -> None:
    """Make this the completion for fish."""
    add_completion_class(Fish)
