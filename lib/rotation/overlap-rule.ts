import { Lazy, Stack, Token } from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { z } from 'zod';
import { overlapRulePrefix } from '../../core/deployed/names.ts';
import type { retireEventSchema } from '../../core/deployed/overlap-event.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { SecretType } from '../../rotators/registry.ts';
import type { StandardFunction } from '../function/standard-function.ts';

/** Props of {@link OverlapRule}. */
export interface OverlapRuleProps {
  readonly environment: string;
  readonly type: SecretType;
  /** Rotation function that ends the overlaps. */
  readonly function: StandardFunction;
}

/**
 * Characters that EventBridge takes as the input of a target.
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
 */
const longestInput = 8_192;
/** Targets that EventBridge takes for one rule. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const mostTargets = 5;
/** The longest name that Secrets Manager takes, for one that is known only when it is deployed. */
const longestName = 512;

/**
 * Asks a rotation function once an hour which overlaps of its `dual-credential` secrets are over.
 *
 * The default bus of an account has room for 300 rules, so all secrets of a function share one. Its targets are the function
 * again and again, each with as many names as fit into one input. Rules of different functions have different minutes.
 */
export class OverlapRule extends Construct {
  private readonly names: string[] = [];
  private readonly target: StandardFunction;

  constructor(scope: Construct, id: string, props: OverlapRuleProps) {
    super(scope, id);
    this.target = props.function;
    const { partition, region, account } = Stack.of(this);
    const name = `${overlapRulePrefix(props.environment)}${this.node.addr.slice(-16)}`;
    this.target.addPermission('OverlapSchedule', {
      principal: new ServicePrincipal('events.amazonaws.com'),
      sourceArn: `arn:${partition}:events:${region}:${account}:rule/${name}`,
    });
    const rule = new CfnRule(this, 'Rule', {
      name,
      description: `Rekey ${props.environment}: ends the overlaps of ${props.type} secrets`,
      scheduleExpression: `cron(${this.minute} * * * ? *)`,
      targets: Lazy.any({ produce: () => this.targets() }),
    });
    // With its permissions, which name the secrets and so come after them.
    rule.node.addDependency(this.target);
  }

  /**
   * Has the function asked about a secret, too.
   * @throws Error when the names no longer fit into the targets of one rule
   */
  add(secretName: string): void {
    this.names.push(secretName);
    if (this.inputs().length > mostTargets) {
      throw new RekeyError(
        'ConstructInvalid',
        `${this.node.path}: the names of ${this.names.length} secrets do not fit into the ${mostTargets} targets of a rule, with ${longestInput} characters each; ` +
          'spread the secrets over several rotation functions',
      );
    }
  }

  /** Minute of the hour, derived from the construct's address, so that it stays when secrets come and go. */
  private get minute(): number {
    return Number.parseInt(this.node.addr.slice(-8), 16) % 60;
  }

  private targets(): CfnRule.TargetProperty[] {
    return this.inputs().map((names, index) => {
      const event: z.input<typeof retireEventSchema> = { RetirePrevious: names };
      return {
        id: `Secrets${index + 1}`,
        arn: this.target.functionArn,
        input: Stack.of(this).toJsonString(event),
      };
    });
  }

  /** Divides the names, in their order, into as few inputs as they fit into. */
  private inputs(): string[][] {
    const inputs: string[][] = [];
    let left = 0;
    for (const name of this.names.toSorted()) {
      const size = (Token.isUnresolved(name) ? longestName : name.length) + '"",'.length;
      if (size > left) {
        inputs.push([]);
        left = longestInput - JSON.stringify({ RetirePrevious: [] }).length;
      }
      inputs.at(-1)?.push(name);
      left -= size;
    }
    return inputs;
  }
}
