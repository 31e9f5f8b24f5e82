import * as z from 'zod';
import type { Notice } from '../notice.ts';
import { plain } from '../text.ts';
import { httpsUrl, jsonRequest, type Vendor } from './vendor.ts';

const colours = { emergency: 'Attention', warning: 'Warning', information: 'Default' } as const;

/**
 * Makes a run of a rich text block, which is shown as it is; a text block would read Markdown. Two braces begin a function of dates
 * wherever text stands, so they are drawn apart.
 * @see https://adaptivecards.io/explorer/TextRun.html
 * @see https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features
 */
const run = (text: string, longest: number, style: Readonly<Record<string, unknown>> = {}) => ({
  type: 'RichTextBlock',
  inlines: [{ type: 'TextRun', text: plain(text, longest).replaceAll('{{', '{ {'), ...style }],
});

function card({ title, urgency, facts, runbook }: Notice) {
  return {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      run(title, 400, { size: 'Large', weight: 'Bolder', color: colours[urgency] }),
      ...facts.map(({ name, value }) => run(`${name}: ${value}`, 1_100)),
      ...(runbook === undefined || runbook.startsWith('https://') ? [] : [run(`Runbook: ${runbook}`, 500)]),
    ],
    ...(runbook?.startsWith('https://') === true && {
      actions: [{ type: 'Action.OpenUrl', title: 'Runbook', url: runbook }],
    }),
  };
}

/**
 * Microsoft Teams, by a workflow that begins with a webhook request. A message has 28 KB at the most, which these stay below by
 * the bounds of their parts.
 * @see https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 * @see https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook
 */
export const teams: Vendor<{ url: URL }> = {
  credential: z.object({ url: httpsUrl }),
  write: (notice, _occasion, { url }) =>
    jsonRequest(url, {
      type: 'message',
      attachments: [
        { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card(notice) },
      ],
    }),
  taken: (status) => status === 200 || status === 202,
  refusesCredential: (status) => status === 401 || status === 403 || status === 404,
};
