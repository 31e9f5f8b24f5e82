import * as z from 'zod';
import type { Notice } from '../notice.ts';
import { signatureHeaders, signingKey } from '../signature.ts';
import { httpsUrl, jsonRequest, type Vendor } from './vendor.ts';

const keyOf = z.string().transform((text, context) => {
  const key = signingKey(text);
  if (key !== undefined) return key;
  context.addIssue({ code: 'custom', message: 'must be whsec_ and base64 of 24 to 64 bytes' });
  return z.NEVER;
});

const credential = z.object({
  url: httpsUrl,
  signingKey: keyOf,
  /** Key before the current one, while receivers still know only that. */
  previousSigningKey: keyOf.optional(),
});

/** Writes the type of a message as the specification asks: words with full stops between. */
const typeOf = ({ kind }: Notice): string => `rekey.${kind.toLowerCase().replaceAll(' ', '_')}`;

/**
 * A receiver of one's own, by the Standard Webhooks specification.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const webhook: Vendor<z.output<typeof credential>> = {
  credential,
  write: (notice, { deed, alert, now }, { url, signingKey: key, previousSigningKey }) => {
    const { id, environment, urgency, title, subject, time, facts, runbook, incident } = notice;
    const unsigned = jsonRequest(url, {
      type: typeOf(notice),
      timestamp: time,
      data: {
        id,
        environment,
        urgency,
        title,
        subject,
        deed,
        ...(incident !== undefined && { incident: alert }),
        facts: Object.fromEntries(facts.map(({ name, value }) => [name, value])),
        ...(runbook !== undefined && { runbook }),
      },
    });
    const keys = [key, ...(previousSigningKey === undefined ? [] : [previousSigningKey])];
    return {
      ...unsigned,
      headers: { ...unsigned.headers, ...signatureHeaders({ id, now, body: unsigned.body }, keys) },
    };
  },
  taken: (status) => status >= 200 && status < 300,
  refusesCredential: (status) => status === 401 || status === 403 || status === 410,
};
