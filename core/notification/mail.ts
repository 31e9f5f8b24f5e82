import { linesOf, type Notice } from './notice.ts';
import { ascii, cutBytes, plain } from './text.ts';

/**
 * Limits of Amazon SNS: a subject has up to 100 characters of ASCII without line breaks, a message 256 KiB.
 * @see https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 */
const longestSubject = 99;
const longestMessage = 200 * 1_024;

/** Writes a message for a topic: a subject for mails, and lines of plain text. */
export const mailOf = (notice: Notice): { readonly subject: string; readonly message: string } => ({
  subject: plain(ascii(`Rekey ${notice.environment}: ${notice.title}`), longestSubject).replace('…', '.'),
  message: cutBytes(linesOf(notice).join('\n'), longestMessage),
});
