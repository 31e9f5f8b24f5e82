import { Annotations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { dayOf } from '../../core/lifecycle/dates.ts';
import { examine, violationsOf } from '../../core/policy/examine.ts';
import type { Violation } from '../../core/policy/rule.ts';
import { hasPolicy, policyFactsOf } from '../config/policy-facts.ts';
import type { Configuration } from '../config/schema.ts';

/**
 * Holds an environment to its policy at synth. Errors stop the synth, all in one message; warnings are annotations of the
 * construct, `rekey:<rule>`, which the CDK shows and can acknowledge. Where no policy is written, it asks for nothing.
 *
 * @throws RekeyError `PolicyBroken`
 */
export function holdToPolicy(scope: IConstruct, name: string, configuration: Configuration): void {
  const environment = configuration.environments[name];
  if (environment === undefined || !hasPolicy(configuration, environment)) return;
  const today = dayOf(new Date());
  const answers = examine(policyFactsOf(configuration), { today }).filter(
    (answer) => answer.environment === name,
  );
  const violations = violationsOf(answers);
  for (const violation of violations.filter(({ severity }) => severity === 'warning')) {
    // Of several secrets each has its own; by its id a warning is acknowledged for all.
    Annotations.of(scope).addWarningV2(`rekey:${violation.rule}`, sentences(violation));
  }
  const errors = violations.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    throw new RekeyError(
      'PolicyBroken',
      `${name} breaks ${errors.length === 1 ? 'a rule' : `rules of its policy in ${errors.length} places`}:\n${errors
        .map((violation) => `  ${violation.rule}: ${sentences(violation)}`)
        .join('\n')}\nrekey policy explain shows where each demand comes from`,
    );
  }
}

const sentences = ({ subject, message, fix }: Violation): string => `${subject}: ${message}. ${fix}`;
