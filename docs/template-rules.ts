import { frameworks } from '../core/policy/control.ts';
import type { RuleDescription } from '../core/policy/rule.ts';
import { type ExposedKind, exposedKinds, safePlaces } from '../core/template/exposed-places.ts';
import { templateRules } from '../core/template/rules/index.ts';

const rules: readonly RuleDescription[] = templateRules.map(({ description }) => description);

/** Writes the page of all rules for templates. */
export function templateRulesPage(): string {
  const sections = rules.map(
    ({ id, severity, demand, reason, controls }) =>
      `### ${id}\n\n${demand} ${reason}\n\n- Severity: ${severity}\n- Controls: ${controls.join('; ')}`,
  );
  const kinds: readonly ExposedKind[] = Object.values(exposedKinds);
  const leaks = kinds.map(({ what, readBy, fix }) => `| ${what} | ${readBy} | ${fix} |`);
  const safe = safePlaces.map(([type, properties]) => `| \`${type}\` | ${properties.map(code).join(', ')} |`);
  return `# Rules for templates

What [\`rekey policy check\`](cli.md#rekey-policy-check-of-templates) and the policy validation of the CDK, \`RekeyPolicyValidation\`, ask of
CloudFormation templates and Terraform plans. A rule of severity \`error\` stops a check and a synth; a \`warning\` is shown. What a
template leaves open (a parameter, a value that only the deploy knows, a policy of another stack) breaks no rule. Generated from
\`core/template/rules/\` by \`npm run docs\`.

## Where a secret leaks

A dynamic reference (\`{{resolve:secretsmanager:…}}\`, \`{{resolve:ssm-secure:…}}\`, \`unsafeUnwrap()\` of the CDK) keeps a value out of
the template. CloudFormation puts it into the deployed resource all the same, where it stays as it was when the secret rotates.
In these places it can be read:

| place | read by | to do |
|---|---|---|
${leaks.join('\n')}
| an environment variable of an ECS container | ecs:DescribeTaskDefinition | move it to \`Secrets\`, with \`ValueFrom\` set to the ARN of the secret |
| an output of a stack | cloudformation:DescribeStacks | give out the ARN of the secret |
| a parameter without \`NoEcho\`, or with a default | cloudformation:DescribeStacks, the template | take a dynamic reference in its place |

These take a secret and never show it again, so a dynamic reference is right there. Other places that no rule names are left
alone:

| resource | property |
|---|---|
${safe.join('\n')}

## Rules

${sections.join('\n\n')}

## Controls

The rules that bear on a control, as reports and SARIF tags name it.

| control | rules |
|---|---|
${byControl().join('\n')}
`;
}

const code = (text: string): string => `\`${text}\``;

/** Lists each control with its rules, in the order of the frameworks. */
function byControl(): readonly string[] {
  const controls = [...new Set(rules.flatMap((rule) => rule.controls))];
  return frameworks.flatMap((framework) =>
    controls
      .filter((control) => control.startsWith(framework))
      .toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true }))
      .map((control) => {
        const asking = rules.filter((rule) => rule.controls.includes(control));
        return `| ${control} | ${asking.map(({ id }) => `[${id}](#${id.toLowerCase()})`).join(', ')} |`;
      }),
  );
}
