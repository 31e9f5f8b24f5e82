import * as z from 'zod';
import { linesOf } from '../notice.ts';
import { plain } from '../text.ts';
import { httpsUrl, jsonRequest, keyText, type Vendor } from './vendor.ts';

/** Limits of an alert. @see https://docs.opsgenie.com/docs/alert-api#create-alert */
const longest = {
  message: 130,
  alias: 512,
  description: 15_000,
  entity: 512,
  note: 25_000,
  detail: 1_000,
} as const;

const priorities = { emergency: 'P1', warning: 'P3', information: 'P5' } as const;

/** Gives the address of a request below the base, whatever path the base has. */
const below = (base: URL, path: string): URL => new URL(`${base.pathname.replace(/\/$/, '')}${path}`, base);

/**
 * Opsgenie, by its Alert API, which Jira Service Management keeps below another base.
 * @see https://docs.opsgenie.com/docs/alert-api
 */
export const opsgenie: Vendor<{ apiKey: string; url: URL }> = {
  credential: z.object({ apiKey: keyText, url: httpsUrl.prefault('https://api.opsgenie.com') }),
  write: (notice, { deed, alert }, { apiKey, url }) => {
    const authorization = { authorization: `GenieKey ${apiKey}` };
    const alias = plain(alert, longest.alias);
    const source = `rekey-${notice.environment}`;
    if (deed === 'acknowledge' || deed === 'resolve') {
      const act = deed === 'resolve' ? 'close' : 'acknowledge';
      return jsonRequest(
        below(url, `/v2/alerts/${encodeURIComponent(alias)}/${act}?identifierType=alias`),
        { source, note: plain(notice.title, longest.note) },
        authorization,
      );
    }
    return jsonRequest(
      below(url, '/v2/alerts'),
      {
        message: withoutTags(plain(notice.title, longest.message)),
        alias,
        description: withoutTags(linesOf(notice).join('\n')).slice(0, longest.description),
        details: Object.fromEntries(
          notice.facts.map(({ name, value }) => [name, withoutTags(plain(value, longest.detail))]),
        ),
        entity: withoutTags(plain(notice.subject, longest.entity)),
        source,
        priority: priorities[notice.urgency],
        tags: ['rekey', notice.environment.slice(0, 50)],
      },
      authorization,
    );
  },
  taken: (status) => status === 202,
  refusesCredential: (status) => status === 401 || status === 403,
};

/**
 * Makes text of others harmless where it is read as HTML, in as many characters as it has.
 * @see https://docs.opsgenie.com/docs/alerts-and-alert-fields
 */
const withoutTags = (text: string): string => text.replaceAll('<', '‹').replaceAll('>', '›');
