import { Duration, Stack } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { EnvironmentStackProps } from '../events/events-stack.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { AuditLog } from './audit-log.ts';

/** Props of {@link AuditStack}. */
export interface AuditStackProps extends EnvironmentStackProps {
  readonly bus: IRekeyBus;
  readonly topic: ITopic;
}

/** The audit log, which outlives everything else: it cannot be removed before its last record's lock has ended. */
export class AuditStack extends Stack {
  readonly auditLog: AuditLog;

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
  }
}
