import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import type { Mail, Mailer } from '../core/approval/store.ts';
import { called } from './aws-error.ts';

/**
 * The mails of an environment, by Amazon SES from one address.
 * @see https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
 */
export class SesMailer implements Mailer {
  readonly #client: SESv2Client;
  readonly #from: string;

  constructor(from: string, client = new SESv2Client({})) {
    this.#from = from;
    this.#client = client;
  }

  async send({ to, subject, text }: Mail): Promise<void> {
    const part = (Data: string) => ({ Data, Charset: 'UTF-8' });
    const send = new SendEmailCommand({
      FromEmailAddress: this.#from,
      Destination: { ToAddresses: [to] },
      Content: { Simple: { Subject: part(subject), Body: { Text: part(text) } } },
    });
    await called({ service: 'SES', action: 'ses:SendEmail', on: this.#from }, this.#client.send(send));
  }
}
