import type { ErrorGroup } from '../codes.ts';
import { approval } from './approval.ts';
import { audit } from './audit.ts';
import { aws } from './aws.ts';
import type { Entries } from './entry.ts';
import { fingerprint } from './fingerprint.ts';
import { notification } from './notification.ts';
import { cli, deployment, local } from './operator.ts';
import { quarantine } from './quarantine.ts';
import { revocation } from './revocation.ts';
import { rotation } from './rotation.ts';
import { secret } from './secret.ts';
import { signal } from './signal.ts';
import { target } from './target.ts';

/** Meaning and remedy of every code, and who can mend it, by where it arises. docs/errors.md is made of it. */
export const errorCatalogue: { readonly [Group in ErrorGroup]: Entries<Group> } = {
  target,
  secret,
  aws,
  rotation,
  audit,
  revocation,
  fingerprint,
  notification,
  approval,
  signal,
  quarantine,
  deployment,
  cli,
  local,
};
