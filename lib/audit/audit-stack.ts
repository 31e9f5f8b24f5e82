import { Duration, Stack } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { EnvironmentStackProps } from '../events/events-stack.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { Trail } from '../trail/trail.ts';
import { AuditLog } from './audit-log.ts';

/** Props of {@link AuditStack}. */
export interface AuditStackProps extends EnvironmentStackProps {
  readonly bus: IRekeyBus;
  readonly topic: ITopic;
}

/** The audit log, which outlives everything else: it cannot be removed before its last record's lock has ended. */
export class AuditStack extends Stack {
  readonly auditLog: AuditLog;
  /** Trail of the environment; missing where the configuration has none made. */
  readonly trail: Trail | undefined;

  constructor(scope: Construct, id: string, props: AuditStackProps) {
    super(scope, id, { terminationProtection: true, ...props });
    const { configuration } = props;
    this.auditLog = new AuditLog(this, 'AuditLog', {
      bus: props.bus,
      retention: Duration.days(configuration.audit.retentionDays),
      alarmTopic: props.topic,
      ...(configuration.reservedConcurrency.writer !== undefined && {
        reservedConcurrency: configuration.reservedConcurrency.writer,
      }),
    });
    this.trail =
      configuration.trail?.create === true
        ? new Trail(this, 'Trail', { bus: props.bus, log: this.auditLog })
        : undefined;
  }
}
