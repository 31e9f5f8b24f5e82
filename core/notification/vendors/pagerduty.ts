import * as z from 'zod';
import type { Notice } from '../notice.ts';
import { plain } from '../text.ts';
import { httpsUrl, jsonRequest, type Vendor } from './vendor.ts';

/** Limits of the Events API. @see https://developer.pagerduty.com/docs/send-alert-event */
const longestSummary = 1_024;
const longestKey = 255;

const severities = { emergency: 'critical', warning: 'warning', information: 'info' } as const;

const payloadOf = ({ title, environment, urgency, time, subject, kind, facts, runbook }: Notice) => ({
  summary: plain(title, longestSummary),
  source: `rekey-${environment}`,
  severity: severities[urgency],
  timestamp: time,
  component: plain(subject, 255),
  group: environment,
  class: kind,
  custom_details: {
    ...Object.fromEntries(facts.map(({ name, value }) => [name, value])),
    ...(runbook !== undefined && { runbook }),
  },
});

/**
 * PagerDuty, by the Events API v2.
 * @see https://developer.pagerduty.com/docs/send-alert-event
 */
export const pagerduty: Vendor<{ routingKey: string; url: URL }> = {
  credential: z.object({
    routingKey: z.string().regex(/^[A-Za-z0-9]{32}$/, 'must be 32 letters and digits'),
    url: httpsUrl.prefault('https://events.pagerduty.com/v2/enqueue'),
  }),
  write: (notice, { deed, alert }, { routingKey, url }) => {
    const link = notice.runbook?.startsWith('https://') === true ? notice.runbook : undefined;
    const action = deed === 'tell' ? 'trigger' : deed;
    return jsonRequest(url, {
      routing_key: routingKey,
      event_action: action,
      dedup_key: plain(alert, longestKey),
      ...(action === 'trigger' && {
        client: 'Rekey',
        payload: payloadOf(notice),
        ...(link !== undefined && { links: [{ href: link, text: 'Runbook' }] }),
      }),
    });
  },
  taken: (status) => status === 202,
  // An unknown routing key is refused as a bad request.
  refusesCredential: (status) => status === 400 || status === 401 || status === 403,
};
