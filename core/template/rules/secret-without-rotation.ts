import { changedRegularly } from '../controls.ts';
import type { TemplateRule } from '../rule.ts';
import { inDialect } from '../rule.ts';
import { isManagedElsewhere, nameOfSecret, rotationsOf, secretType } from '../secrets.ts';
import { isOpen } from '../value.ts';

/** Asks for a rotation schedule of each secret, in any of the templates. */
export const secretWithoutRotation: TemplateRule<'SecretWithoutRotation'> = {
  description: {
    id: 'SecretWithoutRotation',
    severity: 'error',
    demand: 'Each secret has a rotation schedule.',
    reason: 'A credential that is never changed works for whoever has ever read it.',
    controls: [...changedRegularly, 'NIST 800-53 r5 AC-3(15)'],
  },
  *check(world) {
    const rotations = rotationsOf(world);
    const rotated = new Set(rotations.map(({ secret }) => secret));
    // A schedule whose secret is not found may be of any secret of its template.
    const unclear = new Set(
      rotations
        .filter(({ secret, schedule }) => secret === undefined && isOpen(schedule.properties.SecretId))
        .map(({ schedule }) => schedule.template),
    );
    for (const secret of world.ofType(secretType)) {
      if (rotated.has(secret) || isManagedElsewhere(secret) || unclear.has(secret.template)) continue;
      yield {
        on: secret,
        message: `secret ${nameOfSecret(secret)} has no rotation schedule`,
        fix: inDialect(secret, {
          cloudformation:
            'give it an AWS::SecretsManager::RotationSchedule, such as with RotatedSecret of Rekey; waive the rule where nothing can change the credential, and say why',
          terraform:
            'give it an aws_secretsmanager_secret_rotation; waive the rule where nothing can change the credential, and say why',
        }),
      };
    }
  },
};
