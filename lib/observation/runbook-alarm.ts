import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  Metric,
  type MetricOptions,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { metricNamespace, type metrics, type services } from '../../core/deployed/names.ts';
import { type RunbookName, runbooks } from './runbooks.ts';

/** Props of {@link RunbookAlarm}. */
export interface RunbookAlarmProps {
  readonly environment: string;
  /** Name of the alarm, and of the runbook that it points to. */
  readonly runbook: RunbookName;
  readonly metric: IMetric;
  /**
   * Topic that is told when the alarm goes off and when it is over.
   * @default - nobody; the alarm is seen in the console only
   */
  readonly topic?: ITopic;
  /** Value at which the alarm goes off, or above. @default 1 */
  readonly threshold?: number;
  /**
   * Tells several alarms with the same runbook apart, for example the name of a function's construct.
   * @default - none
   */
  readonly instance?: string;
  /**
   * Number of last periods that count, and of their data points that must be at the threshold.
   * @default - one of two: a data point that comes late is still seen beside the newer ones
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
   */
  readonly evaluation?: { readonly periods: number; readonly datapoints: number };
}

/**
 * An alarm with a runbook. It tells the person it wakes what is wrong, where to look and how it usually ends, and which runbook
 * has the details. No data is good: functions emit a metric only when there is something to count.
 */
export class RunbookAlarm extends Construct {
  readonly alarm: Alarm;

  constructor(scope: Construct, id: string, props: RunbookAlarmProps) {
    super(scope, id);
    const { description, investigation, resolution } = runbooks[props.runbook];
    const instance = props.instance === undefined ? '' : `-${props.instance}`;
    this.alarm = new Alarm(this, 'Alarm', {
      alarmName: `rekey-${props.environment}-${props.runbook}${instance}`,
      alarmDescription: [
        description,
        `Investigation: ${investigation}`,
        `Resolution: ${resolution}`,
        `Runbook: docs/runbooks/${props.runbook}.md`,
      ].join('\n\n'),
      metric: props.metric,
      threshold: props.threshold ?? 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: props.evaluation?.periods ?? 2,
      datapointsToAlarm: props.evaluation?.datapoints ?? 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (props.topic !== undefined) {
      const action = new SnsAction(props.topic);
      this.alarm.addAlarmAction(action);
      this.alarm.addOkAction(action);
    }
  }
}

/** Makes a metric of Rekey's functions, by default summed over five minutes. See the dimensions in `lambdas/functions/standard-handler.ts`. */
export function rekeyMetric(
  environment: string,
  service: (typeof services)[keyof typeof services],
  name: (typeof metrics)[keyof typeof metrics],
  options: MetricOptions = {},
): Metric {
  return new Metric({
    namespace: metricNamespace,
    metricName: name,
    dimensionsMap: { environment, service },
    statistic: 'Sum',
    period: Duration.minutes(5),
    ...options,
  });
}
