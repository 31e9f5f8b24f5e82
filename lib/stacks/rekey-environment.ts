import { type StackProps, Tags } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { EnvironmentConfiguration } from '../config/schema.ts';
import { environmentTag } from '../constructs/rotated-secret.ts';
import { AuditStack } from './audit-stack.ts';
import { EventsStack } from './events-stack.ts';
import { RotationStack } from './rotation-stack.ts';

/** Props of {@link RekeyEnvironment}. */
export interface RekeyEnvironmentProps {
  readonly configuration: EnvironmentConfiguration;
  /** Folder that file names in the configuration are relative to. */
  readonly directory: string;
}

/**
 * Everything of one environment, one stack per lifetime, named `rekey-<environment>-<part>`. The construct's id is the
 * environment's name.
 */
export class RekeyEnvironment extends Construct {
  readonly events: EventsStack;
  readonly audit: AuditStack;
  readonly rotation: RotationStack;

  constructor(scope: Construct, environment: string, props: RekeyEnvironmentProps) {
    super(scope, environment);
    const { configuration, directory } = props;
    const { account, region } = configuration;
    const settings = (part: string, what: string) =>
      ({
        environment,
        configuration,
        stackName: `rekey-${environment}-${part}`,
        description: `Rekey ${environment}: ${what}`,
        env: { ...(account === undefined ? {} : { account }), ...(region === undefined ? {} : { region }) },
      }) satisfies StackProps & Record<string, unknown>;

    this.events = new EventsStack(this, 'Events', settings('events', 'event bus and alarm topic'));
    const { bus, topic } = this.events;
    this.audit = new AuditStack(this, 'Audit', { ...settings('audit', 'audit log'), bus, topic });
    const { auditLog } = this.audit;
    this.rotation = new RotationStack(this, 'Rotation', {
      ...settings('rotation', 'networks, functions and secrets'),
      bus,
      topic,
      auditQueue: auditLog.queue,
      directory,
    });
    // Every role and resource says to which environment it belongs; the policies of the secrets go by it.
    Tags.of(this).add(environmentTag, environment);
  }
}
