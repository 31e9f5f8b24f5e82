import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { services } from '../../core/deployed/names.ts';
import { RunbookAlarm } from './runbook-alarm.ts';
import type { RunbookName } from './runbooks.ts';

/** Props of {@link FunctionAlarms}. */
export interface FunctionAlarmsProps {
  readonly environment: string;
  readonly function: IFunction;
  readonly service: (typeof services)[keyof typeof services];
  /** The runbook of the function's errors; throttles have one for all functions. */
  readonly runbook: RunbookName;
  /**
   * Tells functions of the same service apart.
   * @default - the service has one function
   */
  readonly instance?: string;
  /**
   * Number of errors within a time that raises the alarm.
   * @default - one within five minutes
   */
  readonly errors?: { readonly atLeast: number; readonly within: Duration };
  /** Topic that is told of the alarms. @default - nobody is told; the alarms are seen in the console only */
  readonly topic?: ITopic;
}

/**
 * The alarms that every function has: it ended with an error, or Lambda did not let it start.
 *
 * They are two alarms of one metric each. Metric math would cost as much, since CloudWatch charges by the metric. It could also
 * miss a function whose calls are all throttled, which has no data about errors. Alarms cannot search for metrics.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 */
export class FunctionAlarms extends Construct {
  constructor(scope: Construct, id: string, props: FunctionAlarmsProps) {
    super(scope, id);
    const { environment, service, instance } = props;
    const told = props.topic === undefined ? {} : { topic: props.topic };
    const period = Duration.minutes(5);
    new RunbookAlarm(this, 'Errors', {
      environment,
      runbook: props.runbook,
      metric: props.function.metricErrors({ period: props.errors?.within ?? period }),
      ...(instance !== undefined && { instance }),
      ...(props.errors !== undefined && { threshold: props.errors.atLeast }),
      ...told,
    });
    new RunbookAlarm(this, 'Throttles', {
      environment,
      runbook: 'function-throttled',
      instance: instance === undefined ? service : `${service}-${instance}`,
      metric: props.function.metricThrottles({ period }),
      ...told,
    });
  }
}
