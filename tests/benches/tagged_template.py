"""A template through which an app's tag can spoil the configuration of its own vhost."""


def balanced_by_a_tag(template: str, kind: str) -> tuple[str, str]:
    """A line of the template that goes, and the template with what an app's tag `lb` says."""
    if kind.startswith("haproxy"):
        line = "# Let HAProxy start even if a host name cannot be resolved."
        backend = 'backend {{replace $app.Vhost "*" "." 1}} from drove:vhost\n'
        tagged = f'{backend}{{{{with index $app.Tags "lb"}}}}    balance {{{{.}}}}\n{{{{end}}}}'
        assert backend in template
        assert line in template
        return line, template.replace(backend, tagged).replace(line, "")
    line = "keepalive 64;"
    assert line in template
    return line, template.replace(line, '{{with index $app.Tags "lb"}}{{.}};{{end}}')
