"""The fields of a form that a page of the gateway sent."""

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

_FORM = "application/x-www-form-urlencoded"


async def form_fields(request: web.Request) -> MultiDictProxy[str]:
    """Return the fields of a form. Raises HTTPBadRequest for anything but a form's encoding."""
    if request.content_type != _FORM:
        raise web.HTTPBadRequest(text=f"send the form as {_FORM}\n")
    try:
        fields = await request.post()
    except (LookupError, ValueError) as error:
        raise web.HTTPBadRequest(text="the form cannot be decoded\n") from error
    return MultiDictProxy(MultiDict((name, str(value)) for name, value in fields.items()))
