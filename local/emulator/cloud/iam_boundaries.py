"""Boundaries of roles that CloudFormation makes, and variables in policies.

The emulator enforces a boundary that the API sets and leaves out one of a template; it compares `${aws:PrincipalTag/…}`
as text. Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html.
"""

import dataclasses
import re

from cloud import seams

# `${*}`, `${?}` and `${$}` stand for the character itself.
_LITERALS = ("*", "?", "$")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def _filled(text: str, context) -> str | None:
    """The text with the values of its variables; nothing where one has no value and no default."""
    values = []
    for match in _VARIABLE.finditer(text):
        name, _, default = (part.strip() for part in match.group(1).partition(","))
        value = name if name in _LITERALS else seams.iam_evaluator.resolve_condition_key(name, context)
        if not isinstance(value, str):
            value = default[1:-1] if default.startswith("'") and default.endswith("'") else None
        if value is None:
            return None
        values.append(value)
    rest = iter(values)
    return _VARIABLE.sub(lambda _: next(rest), text)


def _all_filled(texts, context) -> list:
    """The texts that have a value for each of their variables; the others match nothing."""
    filled = [_filled(text, context) if isinstance(text, str) and "${" in text else text for text in texts]
    return [text for text in filled if text is not None]


def _filling_conditions(conditions_met):

    def answer(conditions, ctx):
        filled = {
            operator: {
                key: _all_filled([expected] if isinstance(expected, str) else expected, ctx)
                if isinstance(expected, (str, list))
                else expected
                for key, expected in keys.items()
            }
            if isinstance(keys, dict)
            else keys
            for operator, keys in (conditions or {}).items()
        }
        return conditions_met(filled, ctx)

    return answer


def _filling_resources(first_match):

    def answer(ctx, stmts, effect):
        known = []
        for stmt in stmts:
            named = [*stmt.resources, *stmt.not_resources]
            if any("${" in name for name in named):
                filled = dataclasses.replace(
                    stmt,
                    resources=_all_filled(stmt.resources, ctx),
                    not_resources=_all_filled(stmt.not_resources, ctx),
                )
                # Without a resource that is known, the statement is about none.
                known += [filled] if filled.resources or filled.not_resources else []
            else:
                known.append(stmt)
        return first_match(ctx, known, effect)

    return answer


def _bounded(handler, props_at: int):

    def answer(*arguments, **named):
        result = handler(*arguments, **named)
        role = seams.iam.roles.get(result[0])
        if role is not None:
            role["PermissionsBoundary"] = arguments[props_at].get("PermissionsBoundary")
        return result

    return answer


def install() -> None:
    seams.iam_evaluator.wrap(conditions_met=_filling_conditions, first_match=_filling_resources)
    roles = seams.provisioners.RESOURCE_HANDLERS["AWS::IAM::Role"]
    roles["create"] = _bounded(roles["create"], 1)
    roles["update"] = _bounded(roles["update"], 2)
