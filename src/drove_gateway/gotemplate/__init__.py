"""Go's text/template: parsed, compiled to Python and executed as Go does it, errors included."""

from drove_gateway.gotemplate.errors import TemplateError, TemplateExecError, TemplateSyntaxError
from drove_gateway.gotemplate.go.values import StringMap
from drove_gateway.gotemplate.template import Template

__all__ = ["StringMap", "Template", "TemplateError", "TemplateExecError", "TemplateSyntaxError"]
