import { registry } from '../../rotators/registry.ts';
import { isCreated } from './content-changes.ts';
import type { Problem } from './problem.ts';
import type { LooseSecret } from './schema.ts';

/**
 * Finds what the first rotation of a created secret would refuse in its JSON. What is missing may still be put there by
 * hand, where that rotation does not come with the deploy.
 */
export function checkFields({
  type,
  create,
  rotateOnDeploy,
}: Pick<LooseSecret, 'type' | 'create' | 'rotateOnDeploy'>): Problem[] {
  if (create === undefined || !isCreated(type)) return [];
  // Secrets Manager generates the password.
  const json = { password: 'x', ...create.fields };
  return (registry[type].created.schema.safeParse(json).error?.issues ?? []).flatMap(
    ({ path: [key, ...rest], message }) => {
      const path = ['create', 'fields', ...[key, ...rest].flatMap((part) => part ?? []).map(String)];
      if (key === undefined || Object.hasOwn(json, key)) return [{ path, message }];
      if (rotateOnDeploy === false) return [];
      const what = message.includes('received undefined') ? '' : `: ${message}`;
      return [{ path, message: `is missing, and the first rotation, right at the deploy, needs it${what}` }];
    },
  );
}
