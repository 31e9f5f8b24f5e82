import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import type { LocalCloud } from '../../../local/emulator/cloud.ts';

/** A mail as the local cloud keeps it. */
export interface SentMail {
  readonly Source: string;
  readonly To: readonly string[];
  readonly Subject: string;
  readonly BodyText: string;
}

/** Lists the mails that the local cloud's SES has taken. */
export async function sentMails(cloud: LocalCloud): Promise<SentMail[]> {
  const ca = readFileSync(cloud.certificateAuthorityFile);
  const body = await new Promise<string>((resolve, reject) => {
    const options = { host: '127.0.0.1', servername: 'localhost', port: cloud.port, ca, agent: false };
    get({ ...options, path: '/_ministack/ses/messages' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
  const mails: SentMail[] = JSON.parse(body).messages[cloud.accountId] ?? [];
  return mails.map(({ Source, To, Subject, BodyText }) => ({ Source, To, Subject, BodyText }));
}
