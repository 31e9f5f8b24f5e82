import * as z from 'zod';
import type { Notice } from '../notice.ts';
import { plain } from '../text.ts';
import { httpsUrl, jsonRequest, type Vendor } from './vendor.ts';

/** Limits of Block Kit. @see https://docs.slack.dev/reference/block-kit/blocks/ */
const longestHeader = 150;
const longestField = 2_000;
const mostFields = 10;

/** Marks of urgency, before the title. */
const marks = { emergency: 'EMERGENCY', warning: 'Warning', information: 'Info' } as const;

/**
 * Makes text of others harmless where Slack reads mrkdwn: `<!channel>`, `<@U1>` and links begin with `<`.
 * @see https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
const escapeMrkdwn = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Makes text that Slack shows as it is, without formatting, links or emoji. */
const shown = (text: string, longest: number) =>
  ({ type: 'plain_text', text: plain(text, longest), emoji: false }) as const;

function blocks({ title, urgency, facts, runbook }: Notice) {
  const isLink = runbook?.startsWith('https://') === true;
  return [
    { type: 'header', text: shown(`${marks[urgency]}: ${title}`, longestHeader) },
    ...Array.from({ length: Math.ceil(facts.length / mostFields) }, (_, page) => ({
      type: 'section',
      fields: facts
        .slice(page * mostFields, (page + 1) * mostFields)
        .map(({ name, value }) => shown(`${name}: ${value}`, longestField)),
    })),
    ...(runbook === undefined
      ? []
      : [
          {
            type: 'section',
            // The address is of the configuration; an ampersand in it must be escaped all the same.
            text: isLink
              ? {
                  type: 'mrkdwn',
                  text: `<${escapeMrkdwn(encodeURI(decodeURI(runbook)))}|Runbook>`,
                  verbatim: true,
                }
              : shown(`Runbook: ${runbook}`, longestField),
          },
        ]),
  ];
}

/**
 * Slack, by an incoming webhook.
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/
 */
export const slack: Vendor<{ url: URL }> = {
  credential: z.object({ url: httpsUrl }),
  write: (notice, _occasion, { url }) =>
    jsonRequest(url, {
      // What notifications show; read as mrkdwn, so it is escaped.
      text: escapeMrkdwn(plain(`${marks[notice.urgency]}: ${notice.title}`, 1_000)),
      mrkdwn: false,
      unfurl_links: false,
      unfurl_media: false,
      blocks: blocks(notice),
    }),
  taken: (status) => status === 200,
  refusesCredential: (status) => status === 403 || status === 404 || status === 410,
};
