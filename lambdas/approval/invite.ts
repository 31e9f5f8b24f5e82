import { type LinkKey, signLink } from '../../core/approval/link.ts';
import { samePerson } from '../../core/approval/person.ts';
import { type ApprovalRequest, isExpired } from '../../core/approval/request.ts';
import type { ApprovalRecord, ApprovalStore, Mail, Mailer } from '../../core/approval/store.ts';
import { ascii, plain } from '../../core/notification/text.ts';
import { inTurns } from '../../core/pace/in-turns.ts';
import type { Clock } from '../../core/ports.ts';

/** The links of an environment: who is sent one, and by what. */
export interface Links {
  readonly environment: string;
  /** Addresses of those who may answer, by the names of their sessions. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Address of the page behind links. */
  readonly page: string;
  readonly key: Pick<LinkKey, 'make'>;
  readonly mailer: Mailer;
  readonly store: Pick<ApprovalStore, 'noteInvited'>;
  readonly clock: Clock;
  /** Is told of a mail that could not be sent. The next round tries again. */
  readonly failed: (name: string, error: unknown) => void;
}

/**
 * Mails each person who may answer a link of their own, once. The author has none, neither by name nor by address. A link that could
 * not be sent holds up nobody: people can answer with the CLI.
 */
export async function invite({ request, decision, invited }: ApprovalRecord, links: Links): Promise<void> {
  if (decision !== undefined || isExpired(request, links.clock.now())) return;
  const isAuthor = (name: string) => samePerson(request.author, { arn: '', name });
  const people = Object.entries(links.addresses).filter(
    ([name, address]) => !invited.has(name) && !isAuthor(name) && !isAuthor(address),
  );
  await inTurns(people, async ([name, address]) => {
    try {
      const { id: requestId, expiresAt } = request;
      const token = await signLink({ requestId, approver: name, expiresAt }, links.environment, links.key);
      await links.mailer.send(mailTo(address, request, links.environment, `${links.page}?t=${token}`));
      await links.store.noteInvited(requestId, name);
    } catch (error) {
      links.failed(name, error);
    }
  });
}

/** Writes the mail with a link. What people wrote stands in it as text of one line. */
function mailTo(to: string, request: ApprovalRequest, environment: string, link: string): Mail {
  const { id, operation, subject, act, author, reason, expiresAt, onExpiry } = request;
  const line = (text: string) => plain(text, 1_024);
  return {
    to,
    subject: plain(ascii(`Rekey ${environment}: may this ${operation} go on? ${act} ${subject}`), 200),
    text: [
      `${line(author.name)} asks for a ${operation} in ${environment}, and a second person must decide.`,
      '',
      `What: ${line(act)} ${line(subject)}`,
      `Why: ${line(reason)}`,
      `Asked for by: ${line(author.arn)}`,
      `Until: ${expiresAt}; ${onExpiry === 'proceed' ? 'it goes on without an answer' : 'without an answer it is not done'}`,
      '',
      `Look at it and decide: ${link}`,
      'Opening the link decides nothing. It is yours alone, and counts once: do not pass it on.',
      '',
      `With the CLI: rekey approval show ${id}`,
    ].join('\n'),
  };
}
