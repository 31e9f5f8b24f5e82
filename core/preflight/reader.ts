import { stages } from '../secret/secret.ts';
import { type Access, accessTo } from './access.ts';
import { livingSecret, type ReferenceFacts, valueIn } from './facts.ts';

/** Works out whether the role that reads may. It gives undefined where something that decides is not known. */
export function readerAccess(facts: ReferenceFacts): Access | undefined {
  const secret = livingSecret(facts);
  const role = valueIn(facts.reader?.role) ?? facts.reader?.foreign;
  if (secret === undefined || role === undefined || facts.policy?.known !== true) return undefined;
  const key = valueIn(facts.key);
  if (facts.key !== undefined && key === undefined) return undefined;
  const policy = facts.policy.value;
  const access = accessTo({
    principal: role,
    secret,
    stage: facts.reference.versionStage ?? stages.current,
    now: facts.now,
    ...(policy !== undefined && { policy }),
    ...(key !== undefined && { key }),
  });
  // What the other account allows is not known, so only a refusal on this side is sure.
  return role.foreign === true && access.may !== 'no' ? undefined : access;
}
