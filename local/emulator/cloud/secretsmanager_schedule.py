"""When a secret is due for rotation.

Follows https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html and
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html: windows are in UTC; a rate
in days opens its window at midnight and closes it at the end of that day; a rate in hours counts from midnight and
stays open for an hour; `Duration` sets another length.
"""

import itertools
import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone

from cloud import seams

SHORTEST_INTERVAL_HOURS = 4
LONGEST_INTERVAL_DAYS = 1000
_RATE = re.compile(r"rate\((\d+) (hours?|days?)\)")


class InvalidSchedule(ValueError):
    """The rotation rules are not ones that Secrets Manager accepts; the text says why."""


@dataclass(frozen=True)
class Window:
    """A rotation window, in epoch seconds. Secrets Manager rotates at any time in it; this emulator when it opens."""

    opens: float
    closes: float


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time.min, tzinfo=timezone.utc)


def _rate(expression: str) -> tuple[int, str] | None:
    match = _RATE.fullmatch(expression)
    return (int(match[1]), match[2].rstrip("s")) if match else None


def _in_range(field: str, highest: int) -> bool:
    """Whether the numbers of a day or month field, steps and the week after # aside, are ones that it has."""
    numbers = re.findall(r"\d+", re.sub(r"[/#]\d+", "", field))
    return all(1 <= int(number) <= highest for number in numbers)


def _far_enough_apart(field: str, daily: bool) -> bool:
    """Hours are one hour, <first>/<step> or /<step>; "you can rotate a secret as often as every four hours"."""
    match = re.fullmatch(r"(\d{1,2})(?:/(\d{1,2}))?", _from_midnight(field))
    if not match or int(match[1]) > 23 or match[2] == "0":
        return False
    hours = list(range(int(match[1]), 24, int(match[2]))) if match[2] else [int(match[1])]
    if daily:
        hours.append(hours[0] + 24)
    return all(later - earlier >= SHORTEST_INTERVAL_HOURS for earlier, later in itertools.pairwise(hours))


def _from_midnight(hours: str) -> str:
    """The hours with their start: "Every eight hours starting at midnight: cron(0 /8 * * ? *)"."""
    return f"0{hours}" if hours.startswith("/") else hours


def _last_weekday(fields: list[str]) -> list[str]:
    """The day of the month may be "the last named day of the month", such as SUNL, which EventBridge has elsewhere."""
    if re.fullmatch(r"(?:SUN|MON|TUE|WED|THU|FRI|SAT)L", fields[2]) and fields[4] == "?":
        return [*fields[:2], "?", fields[3], fields[2], fields[5]]
    return fields


def _cron(expression: str):
    fields = expression[5:-1].split() if re.fullmatch(r"cron\(.+\)", expression) else []
    # Rotation schedules are finer than an hour in neither form, and run every year.
    if len(fields) != 6 or fields[0] != "0" or fields[5] != "*":
        return None
    if not _in_range(fields[2], 31) or not _in_range(fields[3], 12) or not _in_range(fields[4], 7):
        return None
    if not _far_enough_apart(fields[1], daily=fields[2] == "*"):
        return None
    fields = _last_weekday([fields[0], _from_midnight(fields[1]), *fields[2:]])
    return seams.eventbridge.parse_cron_fields(f"cron({' '.join(fields)})")


def _is_hourly(expression: str) -> bool:
    rate = _rate(expression)
    if rate:
        return rate[1] == "hour"
    return not expression[5:-1].split()[1].isdigit()


def days_between(rules: dict) -> int | None:
    """The number of days that DescribeSecret derives from the schedule, where it is one in days."""
    if rules.get("AutomaticallyAfterDays") is not None:
        return rules["AutomaticallyAfterDays"]
    rate = _rate(rules.get("ScheduleExpression", ""))
    return rate[0] if rate and rate[1] == "day" else None


def check(rules: dict) -> None:
    """Raises InvalidSchedule unless Secrets Manager would take these rotation rules."""
    days, expression, duration = (rules.get(k) for k in ("AutomaticallyAfterDays", "ScheduleExpression", "Duration"))
    if days is not None and expression is not None:
        raise InvalidSchedule("You can't specify both AutomaticallyAfterDays and ScheduleExpression.")
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 1000):
        raise InvalidSchedule("RotationRules.AutomaticallyAfterDays must be within 1-1000.")
    if duration is not None and not re.fullmatch(r"(?:[1-9]|1\d|2[0-4])h", str(duration)):
        raise InvalidSchedule(f"RotationRules.Duration {duration} isn't a number of hours from 1h to 24h.")
    if expression is None:
        return
    rate = _rate(expression)
    if rate:
        count, unit = rate
        hours = count * (24 if unit == "day" else 1)
        if not SHORTEST_INTERVAL_HOURS <= hours <= LONGEST_INTERVAL_DAYS * 24:
            raise InvalidSchedule(f"The schedule {expression} isn't between 4 hours and 1000 days.")
    elif _cron(expression) is None:
        raise InvalidSchedule(f"The schedule expression {expression} isn't valid.")


def next_window(rules: dict, last: float) -> Window | None:
    """The first window that opens after `last`, the time of the previous rotation; None without a schedule."""
    moment = datetime.fromtimestamp(last, tz=timezone.utc)
    expression = rules.get("ScheduleExpression")
    days = rules.get("AutomaticallyAfterDays")
    if expression is None and days is None:
        return None
    expression = expression or f"rate({days} days)"
    rate = _rate(expression)
    if rate and rate[1] == "day":
        opens = _midnight(moment) + timedelta(days=rate[0])
    elif rate:
        opens = _midnight(moment)
        while opens <= moment:
            opens += timedelta(hours=rate[0])
    else:
        found = seams.eventbridge.cron_next_fire(_cron(expression), moment)
        if found is None:
            return None
        opens = found if found.tzinfo else found.replace(tzinfo=timezone.utc)
    if rules.get("Duration"):
        closes = opens + timedelta(hours=int(rules["Duration"][:-1]))
    elif _is_hourly(expression):
        closes = opens + timedelta(hours=1)
    else:
        closes = _midnight(opens) + timedelta(days=1, seconds=-1)
    return Window(opens.timestamp(), closes.timestamp())
