import { RekeyError } from '../../core/errors/rekey-error.ts';
import { type Policy, policySchema } from '../../core/iam/document.ts';

/**
 * Reads a policy document that AWS gave out.
 * @param of - what it is the policy of, for the error
 * @throws RekeyError `CallRefused` for a document whose form is not known; nothing may be concluded from it
 */
export function parsePolicy(text: string, of: string): Policy {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const read = policySchema.safeParse(json);
  if (read.success) return read.data;
  throw new RekeyError('CallRefused', `${of} has a form that this version does not know`);
}
