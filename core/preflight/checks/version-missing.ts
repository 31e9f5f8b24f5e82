import { stages } from '../../secret/secret.ts';
import { near } from '../../suggest.ts';
import { changedUnderControl } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';
import { livingSecret } from '../facts.ts';
import { awsCommand, firstOf } from '../words.ts';

/** Finds references to versions that a secret lacks, and to secrets without any value. */
export const versionMissing: ProofCheck<'VersionMissing'> = {
  description: {
    id: 'VersionMissing',
    severity: 'error',
    demand:
      'The secret has the version that the reference names, by its label or its id, or else a current one.',
    reason: 'The read fails. A version without a label may vanish at any time.',
    controls: changedUnderControl,
  },
  *check(facts) {
    const secret = livingSecret(facts);
    if (secret === undefined) return;
    const { name, arn, versions } = secret;
    const { versionId, versionStage } = facts.reference;
    const show = awsCommand('list-secret-version-ids', arn, facts.region);
    if (versionId !== undefined && versions[versionId] === undefined) {
      yield {
        message: `${name} has no version ${versionId} with a label`,
        fix: `name a label in its place; those that there are: ${show}`,
      };
      return;
    }
    const labels = [...new Set(Object.values(versions).flat())].sort();
    const stage = versionStage ?? (versionId === undefined ? stages.current : undefined);
    if (stage === undefined) return;
    if (!labels.includes(stage)) {
      const [meant] = near(stage, labels, 1);
      yield {
        message:
          versionStage === undefined
            ? `${name} has no value: no version has the label ${stages.current}`
            : `${name} has no version with the label ${stage}${labels.length > 0 ? `; it has ${firstOf(labels)}` : ''}`,
        fix:
          versionStage === undefined
            ? `give it a value: ${awsCommand('put-secret-value', arn, facts.region, '--secret-string file://value.json')}`
            : meant === undefined
              ? `name a label that it has: ${show}`
              : `write ${meant} in the manifest`,
      };
    } else if (versionId !== undefined && !versions[versionId]?.includes(stage)) {
      yield {
        message: `version ${versionId} of ${name} does not have the label ${stage}`,
        fix: `name the label or the id alone: ${show}`,
      };
    }
  },
};
