import { changedUnderControl } from '../template/controls.ts';
import type { ProofDescription } from './check.ts';
import type { ManifestProblemCode } from './reference.ts';

const unread = (id: ManifestProblemCode, demand: string): ProofDescription<ManifestProblemCode> => ({
  id,
  severity: 'warning',
  unproven: true,
  demand,
  reason: 'References that nobody could read were not proven.',
  controls: changedUnderControl,
});

/** Descriptions of what is found in manifests themselves. */
export const problemDescriptions: readonly ProofDescription<ManifestProblemCode>[] = [
  unread('ManifestUnreadable', 'A manifest can be read in its format.'),
  unread('ManifestTooLarge', 'A manifest is no larger than what is read.'),
  unread('IncludeCyclic', 'No manifest includes itself, over others or not.'),
  unread('IncludeMissing', 'The files that a manifest includes are there.'),
  unread('ReferenceUnresolved', 'The secret of a reference is known before the deploy.'),
  {
    id: 'ReferenceMalformed',
    severity: 'error',
    demand: 'A reference has the form that its format asks for.',
    reason: 'The deploy, or whoever reads the secret, fails.',
    controls: changedUnderControl,
  },
];
