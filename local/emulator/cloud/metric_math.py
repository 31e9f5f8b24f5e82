"""CloudWatch's metric math, as far as alarms here use it.

Known: numbers, the ids of other entries, arrays, ``+ - * /``, comparisons, ``AND``, ``OR``, and the functions FILL, IF,
MAX, METRICS, MIN and SUM. Anything else is refused with its name when the alarm is put.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html: "Missing values in a time series
are treated as 0" by arithmetic and comparisons where another operand has a value. A time stamp at which none has a
value stays without one.

A time series is a dict of values by time stamp, an array is a list of them, a scalar is a float.
"""

import operator
import re

_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*)|([A-Za-z]\w*)|(\"[^\"]*\"|'[^']*')|(==|!=|<=|>=|&&|\|\||[-+*/<>(),\[\]]))")
_COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_WORDS = {"AND": "&&", "OR": "||"}
_FUNCTIONS = ("FILL", "IF", "MAX", "METRICS", "MIN", "SUM")


class MathError(ValueError):
    """An expression that cannot be computed here."""


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise MathError(f"The metric math {text!r} has something unknown at {text[at : at + 10]!r}.")
        token = match.group().strip()
        tokens.append(_WORDS.get(token, token))
        at = match.end()
    return tokens


def _join(function, left, right):
    """A binary operator over scalars, series and arrays."""
    if isinstance(left, list):
        return [_join(function, one, right) for one in left]
    if isinstance(right, list):
        return [_join(function, left, one) for one in right]
    if not isinstance(left, dict) and not isinstance(right, dict):
        return function(left, right)
    stamps = (left.keys() if isinstance(left, dict) else set()) | (right.keys() if isinstance(right, dict) else set())
    values = {}
    for stamp in stamps:
        value = function(
            left.get(stamp, 0.0) if isinstance(left, dict) else left,
            right.get(stamp, 0.0) if isinstance(right, dict) else right,
        )
        if value is not None:
            values[stamp] = value
    return values


def _number(test):
    return lambda left, right: float(test(left, right))


_OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    # "If the value of a data point causes a function to attempt to divide by zero, the data point is dropped."
    "/": lambda left, right: left / right if right else None,
    "&&": _number(lambda left, right: bool(left) and bool(right)),
    "||": _number(lambda left, right: bool(left) or bool(right)),
    **{symbol: _number(test) for symbol, test in _COMPARISONS.items()},
}


class _Parser:
    """Computes while it reads; `entries` are the known ids, `stamps` the time stamps of the evaluation range."""

    def __init__(self, text: str, entries: dict, metrics: list, stamps: list):
        self.text, self.entries, self.metrics, self.stamps = text, entries, metrics, stamps
        self.tokens = _tokens(text)

    def peek(self):
        return self.tokens[0] if self.tokens else None

    def take(self, wanted: str | None = None) -> str:
        token = self.tokens.pop(0) if self.tokens else "its end"
        if wanted is not None and token != wanted:
            raise MathError(f"The metric math {self.text!r} has {token!r} where {wanted!r} is needed.")
        return token

    def binary(self, levels=(("||",), ("&&",), tuple(_COMPARISONS), ("+", "-"), ("*", "/"))):
        if not levels:
            return self.unary()
        value = self.binary(levels[1:])
        while self.peek() in levels[0]:
            symbol = self.take()
            value = _join(_OPERATORS[symbol], value, self.binary(levels[1:]))
        return value

    def unary(self):
        if self.peek() == "-":
            self.take()
            return _join(operator.sub, 0.0, self.unary())
        return self.atom()

    def list_until(self, end: str) -> list:
        values = []
        while self.peek() != end:
            values.append(self.binary())
            if self.peek() != end:
                self.take(",")
        self.take(end)
        return values

    def atom(self):
        token = self.take()
        if token == "(":
            value = self.binary()
            self.take(")")
            return value
        if token == "[":
            return [series for one in self.list_until("]") for series in (one if isinstance(one, list) else [one])]
        if token[0].isdigit():
            return float(token)
        if self.peek() == "(":
            self.take()
            return self.call(token)
        if token == "REPEAT":
            return token
        if token in self.entries:
            return self.entries[token]
        raise MathError(f"The metric math {self.text!r} names {token!r}, which is no entry before it.")

    def call(self, name: str):
        if name not in _FUNCTIONS:
            raise MathError(f"The metric math {self.text!r} uses {name}, which the local cloud does not compute.")
        arguments = self.list_until(")")
        return getattr(self, f"_{name.lower()}")(*arguments)

    def _metrics(self):
        return list(self.metrics)

    def _fill(self, series, filler):
        if isinstance(series, list):
            return [self._fill(one, filler) for one in series]
        filled, last = {}, None
        for stamp in self.stamps:
            last = series.get(stamp, last if filler == "REPEAT" else filler)
            if last is not None:
                filled[stamp] = last
        return filled

    def _if(self, condition, then, otherwise=None):
        if not isinstance(condition, dict):
            return then if condition else otherwise
        values = {}
        for stamp, met in condition.items():
            chosen = then if met else otherwise
            value = chosen.get(stamp) if isinstance(chosen, dict) else chosen
            if value is not None:
                values[stamp] = value
        return values

    def _over(self, function, value):
        if isinstance(value, list):
            stamps = {stamp for series in value for stamp in series}
            return {stamp: function(series[stamp] for series in value if stamp in series) for stamp in stamps}
        return function(value.values()) if value else 0.0

    def _sum(self, value):
        return self._over(sum, value)

    def _max(self, value):
        return self._over(max, value)

    def _min(self, value):
        return self._over(min, value)


def compute(expression: str, entries: dict, metrics: list, stamps: list):
    """The value of an expression over the entries that come before it."""
    parser = _Parser(expression, entries, metrics, stamps)
    value = parser.binary()
    if parser.tokens:
        raise MathError(f"The metric math {expression!r} goes on with {parser.peek()!r}.")
    return value
