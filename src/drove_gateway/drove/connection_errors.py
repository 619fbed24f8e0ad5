"""Says in plain words why a controller could not be asked, and which setting to look at."""

import errno
import ssl
from collections.abc import Mapping

import aiohttp

from drove_gateway.drove.excerpt import Hide, as_it_is, excerpt

_REASONS = {
    errno.ECONNREFUSED: "the connection was refused, nothing listens there; check host and port in "
    "the namespace's `drove`, and whether the controller runs",
    errno.EHOSTUNREACH: "the host cannot be reached; check the network and the firewall",
    errno.ENETUNREACH: "no route to the host's network; check the network",
    errno.ECONNRESET: "the connection was reset by the controller, or by what is between",
    errno.EPIPE: "the connection was closed by the controller, or by what is between",
    errno.EMFILE: "this process has no file descriptors left; raise its limit (LimitNOFILE)",
    errno.ENFILE: "this machine has no file descriptors left; raise its limit (fs.file-max)",
    errno.EADDRNOTAVAIL: "this machine has no local ports left",
    errno.EACCES: "the firewall or a security policy of this machine refuses the connection",
    errno.EPERM: "the firewall or a security policy of this machine refuses the connection",
}

_CUT_OFF: Mapping[type[Exception], str] = {
    aiohttp.ClientPayloadError: "the response was cut off",
    aiohttp.ServerDisconnectedError: "the connection was closed before a response; a TLS port "
    "needs https:// in the namespace's `drove`",
}


def reason_of(error: Exception, hide: Hide = as_it_is) -> str:
    """Return why the request failed. The reason is printable and names the setting to look at."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return _untrusted(error.certificate_error, hide)
        case aiohttp.ClientConnectorDNSError():
            return (
                f"cannot be reached: the host name {excerpt(error.host, 80)} cannot be resolved; "
                "check the namespace's `drove`, and DNS"
            )
        case aiohttp.ClientSSLError() | aiohttp.ClientConnectorSSLError():
            return _tls_failed(error, hide)
        case OSError() if not isinstance(error, aiohttp.ServerDisconnectedError):
            return f"cannot be reached: {_system(error, hide)}"
    return _CUT_OFF.get(type(error)) or (
        f"failed: {excerpt(str(error) or type(error).__name__, hide=hide)}"
    )


def is_refused(error: BaseException | None) -> bool:
    """Return whether nothing listens at the controller's address."""
    return isinstance(error, aiohttp.ClientConnectorError) and isinstance(
        error.os_error, ConnectionRefusedError
    )


def _untrusted(error: BaseException, hide: Hide) -> str:
    what = getattr(error, "verify_message", "") or str(error)
    return (
        f"its certificate is not trusted: {excerpt(what, hide=hide)}; set the namespace's "
        "`tls_ca_file` to the CA that signed it, or `tls_skip_verify = true`"
    )


def _tls_failed(error: OSError, hide: Hide) -> str:
    inner = getattr(error, "os_error", error)
    reason = getattr(inner, "reason", None) or ""
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return (
            "does not speak TLS on this port; check the port, or write http:// in the namespace's "
            "`drove`"
        )
    if isinstance(inner, ssl.SSLError) and reason:
        what = reason.replace("_", " ").lower()
        return f"the TLS handshake failed: {excerpt(what, hide=hide)}; check the controller's TLS"
    return f"the TLS handshake failed: {excerpt(str(inner), hide=hide)}"


def _system(error: OSError, hide: Hide) -> str:
    inner = getattr(error, "os_error", error)
    known = _REASONS.get(inner.errno or 0)
    return known or excerpt(inner.strerror or str(inner) or type(inner).__name__, hide=hide)
