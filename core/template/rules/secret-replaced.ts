import { changedUnderControl } from '../controls.ts';
import { named, type TemplateRule } from '../rule.ts';
import { nameOfSecret, secretType } from '../secrets.ts';
import { isAbsent, literalText } from '../value.ts';

/** Finds changes that make a new secret in place of one that exists. */
export const secretReplaced: TemplateRule<'SecretReplaced'> = {
  description: {
    id: 'SecretReplaced',
    severity: 'error',
    demand: 'No deployment replaces a secret that exists.',
    reason: 'The new one has another ARN and another value; consumers and policies go on naming the old one.',
    controls: changedUnderControl,
  },
  *check(world) {
    for (const secret of world.ofType(secretType)) {
      const before = world.deployed.get(secret.template)?.resources.find(({ id }) => id === secret.id);
      const [was, is] = [literalText(before?.properties.Name), literalText(secret.properties.Name)];
      const renamed =
        before !== undefined &&
        was !== is &&
        // A name that only the deploy knows may be the same.
        (was !== undefined || isAbsent(before.properties.Name)) &&
        (is !== undefined || isAbsent(secret.properties.Name));
      const planned = ['create', 'delete'].every(
        (action) => secret.change?.actions.includes(action) === true,
      );
      if (!renamed && !planned) continue;
      yield {
        on: secret,
        property: ['Name'],
        message: renamed
          ? `secret ${was ?? secret.path} gets another name (${is ?? 'one that CloudFormation makes'}), so the deploy makes a new secret and removes that one`
          : `the apply removes secret ${nameOfSecret(secret)} and makes a new one`,
        fix: `keep ${named(secret, 'Name')}; to move to another name, make a second secret, move the consumers, then retire this one`,
      };
    }
  },
};
