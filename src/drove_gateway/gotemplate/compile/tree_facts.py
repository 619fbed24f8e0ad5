"""What the compiler wants to know of a tree before it compiles it."""

from collections.abc import Sequence

from drove_gateway.gotemplate.syntax import nodes


def only_if(body: nodes.Body) -> nodes.If | None:
    """Return the `if` of an `else if`."""
    only = body.items[0] if len(body.items) == 1 else None
    return only if isinstance(only, nodes.If) else None


def has_break(body: nodes.Body) -> bool:
    """Whether a loop with this body may be left early."""
    todo = [body]
    while todo:
        for item in todo.pop().items:
            if isinstance(item, nodes.Break):
                return True
            if not isinstance(item, nodes.Range):
                todo += _bodies(item)
    return False


def assigned(body: nodes.Body) -> frozenset[str]:
    """Return the variables that are assigned to with `=`, in what the compiler can compile."""
    names: set[str] = set()
    todo = [body]
    while todo:
        for item in todo.pop().items:
            todo += _bodies(item)
            pipe = getattr(item, "pipe", None)
            if pipe is not None and pipe.assigns:
                names.update(variable.names[0] for variable in pipe.variables)
    return frozenset(names)


def _bodies(item: nodes.Item) -> Sequence[nodes.Body]:
    if not isinstance(item, nodes.If | nodes.With | nodes.Range):
        return ()
    return (item.body,) if item.otherwise is None else (item.body, item.otherwise)
