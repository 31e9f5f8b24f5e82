"""Prints what the local cloud makes of data points and of metric math, as JSON.

Usage: alarm_arithmetic.py CASES, where CASES is JSON: {"states": [[points, periods, to_alarm, missing, state], ...],
"math": [[expression, entries, stamps], ...]}. Points are "0", "X" and "-"; a series is an object by time stamp.
"""

import json
import sys

from cloud import alarms, metric_math

POINTS = {"0": False, "X": True, "-": None}


def series(value):
    if isinstance(value, list):
        return [series(one) for one in value]
    return {int(stamp): float(number) for stamp, number in value.items()} if isinstance(value, dict) else value


def computed(expression, entries, stamps):
    known = {name: series(value) for name, value in entries.items()}
    try:
        return metric_math.compute(expression, known, list(known.values()), stamps)
    except metric_math.MathError as error:
        return str(error)


cases = json.loads(sys.argv[1])
print(
    json.dumps(
        {
            "states": [
                alarms.state_of([POINTS[point] for point in points.split()], periods, to_alarm, missing, state)
                for points, periods, to_alarm, missing, state in cases["states"]
            ],
            "math": [computed(*case) for case in cases["math"]],
        }
    )
)
