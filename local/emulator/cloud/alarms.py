"""CloudWatch's evaluation of alarms, every minute of the local cloud's clock.

- Which data points count, M out of N, and missing ones:
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
- Periods of a minute or longer are evaluated every minute over windows that end there, not at whole periods:
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
- A change of the state runs the actions of the new state, once; a topic is reached if its policy admits the alarm:
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html

"CloudWatch attempts to retrieve a higher number of data points than the number specified as Evaluation Periods"; how
many more is not documented. Here they are two, as in the examples of that page.
"""

import contextvars
import logging
import operator
import threading
import time

from ministack.services import sns

from cloud import clock, metric_math, metrics, seams, service_roles

logger = logging.getLogger("rekey.alarms")

_MORE_DATA_POINTS = 2
_MINUTE = 60
# A clock that is moved further is evaluated over its last minutes only.
_MOST_MINUTES = 120

_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_lock = threading.RLock()
_evaluated: int | None = None


def state_of(points: list, periods: int, to_alarm: int, missing: str, state: str) -> str:
    """The state that data points, the oldest first, put an alarm into.

    A point is True when it breaches, False when it does not, None when it is missing. `state` is what the alarm is in.
    """
    real = [point for point in points if point is not None][-periods:]
    lacking = periods - len(real)
    breaching = sum(real)
    if lacking and missing == "breaching":
        breaching += lacking
    if breaching >= to_alarm:
        return "ALARM"
    if not lacking or missing in ("breaching", "notBreaching") or breaching < len(real):
        return "OK"
    # Only breaching points, too few of them, or none at all.
    if missing == "ignore":
        return state
    # "The alarm goes to ALARM when the oldest available breaching data point is at least as old as Datapoints to
    # Alarm."
    oldest = next((age for age in range(len(points), 0, -1) if points[-age] is not None), 0)
    return "ALARM" if real and oldest >= to_alarm else "INSUFFICIENT_DATA"


def _dimensions(entry: dict) -> dict:
    return {one["Name"]: one["Value"] for one in entry.get("Dimensions") or []}


def _series(metric: dict, statistic: str, period: int, stamps: list) -> dict:
    """The statistic of each window that begins at a time stamp and has data."""
    points = metrics.values(metric["Namespace"], metric["MetricName"], _dimensions(metric))
    series = {}
    for stamp in stamps:
        inside = [point for point in points if stamp <= point["Timestamp"] < stamp + period]
        if inside:
            series[stamp] = seams.cloudwatch.stat_value(seams.cloudwatch.calc_stats(inside), statistic, inside)
    return series


def _period_of(alarm: dict) -> int:
    for entry in alarm.get("Metrics") or []:
        if entry.get("MetricStat"):
            return int(entry["MetricStat"]["Period"])
    return int(alarm.get("Period") or _MINUTE)


def _watched(alarm: dict, period: int, stamps: list) -> dict:
    if not alarm.get("Metrics"):
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        return _series(alarm, statistic, period, stamps)
    known: dict = {}
    plain: list = []
    waiting = list(alarm["Metrics"])
    # Expressions may name entries that come later in the list.
    waiting.sort(key=lambda entry: not entry.get("MetricStat"))
    returned = None
    for entry in waiting:
        stat = entry.get("MetricStat")
        if stat:
            value = _series(stat["Metric"], stat["Stat"], period, stamps)
            plain.append(value)
        else:
            value = metric_math.compute(entry["Expression"], known, plain, stamps)
        known[entry["Id"]] = value
        if str(entry.get("ReturnData", True)).lower() != "false":
            returned = value
    if not isinstance(returned, dict):
        raise metric_math.MathError(f"The metric math of {alarm['AlarmName']} gives no time series.")
    return returned


def _evaluate(alarm: dict, end: float) -> None:
    period, periods = _period_of(alarm), int(alarm.get("EvaluationPeriods", 1))
    count = periods + _MORE_DATA_POINTS
    stamps = [end - period * age for age in range(count, 0, -1)]
    series = _watched(alarm, period, stamps)
    compare = _COMPARISONS[alarm["ComparisonOperator"]]
    threshold = float(alarm.get("Threshold", 0))
    points = [compare(series[stamp], threshold) if stamp in series else None for stamp in stamps]
    old = alarm["StateValue"]
    new = state_of(
        points, periods, int(alarm.get("DatapointsToAlarm") or periods), alarm.get("TreatMissingData") or "missing", old
    )
    if new != old:
        shown = ", ".join("-" if stamp not in series else f"{series[stamp]:g}" for stamp in stamps)
        _change(
            alarm,
            old,
            new,
            f"Threshold Crossed: data points [{shown}], the oldest first, against "
            f"{alarm['ComparisonOperator']} {threshold:g}.",
            end,
        )


def _change(alarm: dict, old: str, new: str, reason: str, stamp: float) -> None:
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(stamp))
    seams.cloudwatch.record_history(alarm["AlarmName"], old, new, reason)
    field = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(new, "InsufficientDataActions")
    admitted = [action for action in alarm.get(field) or [] if _may_publish(action, alarm["AlarmArn"])]
    seams.cloudwatch.dispatch_alarm_actions({**alarm, field: admitted}, old, new, reason)
    seams.cloudwatch.evaluate_parent_alarms(alarm)


def _may_publish(topic_arn: str, alarm_arn: str) -> bool:
    found = sns.topic_policy_for_arn(topic_arn)
    if found is None:
        logger.warning("Alarm %s: topic %s does not exist", alarm_arn, topic_arn)
        return False
    # A topic without a policy of its own has the default one, which admits its account's alarms.
    if not found[0] or service_roles.policy_admits(
        found[0], "cloudwatch.amazonaws.com", "sns:Publish", topic_arn, alarm_arn
    ):
        return True
    logger.warning(
        "Alarm %s: the policy of topic %s does not let cloudwatch.amazonaws.com publish", alarm_arn, topic_arn
    )
    return False


def catch_up() -> None:
    """Evaluates every alarm at each minute that ended since the last time."""
    global _evaluated
    with _lock:
        minute = int(clock.now() // _MINUTE)
        if _evaluated is None or _evaluated > minute:
            # The first call of this process, or a clock that was taken back.
            _evaluated = minute - 1
        for one in range(max(_evaluated + 1, minute - _MOST_MINUTES), minute + 1):
            # What SQS tells of a minute belongs to that minute.
            metrics.sample_queues(one * _MINUTE - 1)
            for alarm in list(seams.cloudwatch.alarms.values()):
                try:
                    _evaluate(alarm, one * _MINUTE)
                except Exception:
                    logger.exception("Alarm %s", alarm.get("AlarmName"))
        _evaluated = minute


def _check(alarm: dict) -> None:
    """Refuses what cannot be evaluated when it is put, not silently every minute."""
    if alarm.get("ComparisonOperator") not in _COMPARISONS:
        raise ValueError(
            f"Alarm {alarm['AlarmName']}: the local cloud does not know the comparison "
            f"{alarm.get('ComparisonOperator')}."
        )
    period = _period_of(alarm)
    _watched(alarm, period, [clock.now() - period])


def install() -> None:
    """Has the clock evaluate alarms, not PutMetricData."""
    describe, put_in_stack = seams.cloudwatch.describe_alarms, seams.cloudwatch.cloudformation_put_metric_alarm

    def _describe_alarms(*args, **options):
        catch_up()
        return describe(*args, **options)

    def cloudformation_put_metric_alarm(alarm):
        _check(alarm)
        put_in_stack(alarm)

    def every_minute():
        while True:
            time.sleep(1)
            try:
                catch_up()
            except Exception:
                logger.exception("Evaluation of alarms")

    def start(target):
        threading.Thread(target=contextvars.copy_context().run, args=(target,), daemon=True, name="alarms").start()

    seams.cloudwatch.replace(
        evaluate_alarm=lambda alarm: None,
        evaluate_all_alarms=lambda: None,
        cloudformation_put_metric_alarm=cloudformation_put_metric_alarm,
        describe_alarms=_describe_alarms,
    )
    clock.on_advance(lambda: start(catch_up))
    start(every_minute)
