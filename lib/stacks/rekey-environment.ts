import { type StackProps, Tags } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { EnvironmentConfiguration } from '../config/schema.ts';
import { environmentTag } from '../constructs/rotated-secret.ts';
import { RotationFunction } from '../constructs/rotation-function.ts';
import { AccessStack } from './access-stack.ts';
import { AuditStack } from './audit-stack.ts';
import { EventsStack } from './events-stack.ts';
import { RevocationStack } from './revocation-stack.ts';
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
  readonly revocation: RevocationStack;
  /** Missing where the configuration names nobody who may assume a role. */
  readonly access: AccessStack | undefined;

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
    const secrets = [...this.rotation.secrets.values()];
    const { functions } = this.rotation;
    // Foreign rotation functions share one.
    const containment = new Set(functions.map((pair) => pair.containment));
    const own = functions.flatMap(({ rotation }) =>
      rotation instanceof RotationFunction ? [rotation.function] : [],
    );
    this.revocation = new RevocationStack(this, 'Revocation', {
      ...settings('revocation', 'revocation workflow'),
      bus,
      topic,
      auditQueue: auditLog.queue,
      secrets,
      containment: [...containment],
    });
    const { workflow } = this.revocation;
    const people = Object.values(configuration.access).flat();
    this.access =
      people.length === 0
        ? undefined
        : new AccessStack(this, 'Access', {
            ...settings('access', 'roles of operators, responders and auditors'),
            bus,
            auditLog,
            secrets,
            functions: [
              ...functions.map(({ rotation }) => rotation.function),
              ...[...containment].map((target) => target.function),
            ],
            queues: [
              auditLog.queue,
              auditLog.deadLetterQueue,
              auditLog.undeliveredQueue,
              workflow.deadLetterQueue,
            ],
            workflow: workflow.stateMachine,
            rotationLogs: own.map(({ logGroup }) => logGroup),
            intakeLogs: workflow.intake.logGroup,
          });
    // Every role and resource says to which environment it belongs; the policies of the secrets go by it.
    Tags.of(this).add(environmentTag, environment);
  }
}
