import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { services } from '../../core/deployed/names.ts';
import { sessionCutoffEnvironmentSchema } from '../../core/deployed/variables.ts';
import { PolicyPages, sizedArn } from '../access/policy-pages.ts';
import { StandardFunction } from '../function/standard-function.ts';
import type { TargetFunctionProps } from '../function/target-function.ts';

/** The permissions of {@link SessionCutoffFunction}, and the props that it takes of its containment function. */
export interface SessionCutoffFunctionProps
  extends Pick<TargetFunctionProps, 'type' | 'logRetention' | 'reservedConcurrency'> {
  readonly environment: string;
  /** Actions on the resources that are attached. */
  readonly actions: readonly string[];
}

/**
 * Ends sessions at an AWS API where that takes a permission which could grant others. It alone has that permission, and has
 * that permission alone: it reads no secret, logs in nowhere and has no network. Its input says only whose sessions end, and up
 * to when.
 */
export class SessionCutoffFunction extends Construct {
  readonly function: StandardFunction;
  private readonly actions: readonly string[];
  private readonly pages: PolicyPages;

  constructor(scope: Construct, id: string, props: SessionCutoffFunctionProps) {
    super(scope, id);
    this.actions = props.actions;
    this.function = new StandardFunction(this, 'Function', {
      entry: 'session-cutoff',
      service: services.sessionCutoff,
      description: `Rekey ${props.environment}: ends sessions of leaked ${props.type} credentials`,
      environmentSchema: sessionCutoffEnvironmentSchema,
      environment: { REKEY_ENVIRONMENT: props.environment },
      // Less than the containment function waits for it.
      timeout: Duration.seconds(14),
      ...(props.logRetention !== undefined && { logRetention: props.logRetention }),
      ...(props.reservedConcurrency !== undefined && { reservedConcurrency: props.reservedConcurrency }),
    });
    this.pages = new PolicyPages(this.function.role);
  }

  /** Lets the function end sessions of what these ARNs name, and of nothing else. */
  attachResources(arns: readonly string[]): void {
    for (const arn of arns) {
      this.pages.add({ sid: 'Sessions', actions: this.actions }, sizedArn(arn));
    }
  }
}
