import type { CfnRule, Rule } from 'aws-cdk-lib/aws-events';

/**
 * Keeps the events of a replay away from a rule. A replay brings what happened long ago to every rule of the bus again. A
 * record of it would be false, and an old revocation request would cut off a credential that is in use today.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
 */
export function excludeReplays(rule: Rule): void {
  // The CDK's type of event patterns lacks this field of replayed events.
  (rule.node.defaultChild as CfnRule).addPropertyOverride('EventPattern.replay-name', [{ exists: false }]);
}
