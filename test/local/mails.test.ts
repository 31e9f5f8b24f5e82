import { rm } from 'node:fs/promises';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SesMailer } from '../../adapters/mailer.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { sentMails } from './support/mails.ts';

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsesv2.html
describe('mails', () => {
  let directory: string;
  let cloud: LocalCloud;
  let mailer: (from: string) => SesMailer;

  beforeAll(async () => {
    directory = await newFolder('mails');
    cloud = await startCloud({ directory });
    const ses = new SESv2Client(cloud.clientOptions());
    for (const EmailIdentity of ['example.com', 'example.org']) {
      await ses.send(new CreateEmailIdentityCommand({ EmailIdentity }));
    }
    const { credentials } = await createUser(cloud, 'sender', [
      {
        Effect: 'Allow',
        Action: 'ses:SendEmail',
        Resource: `arn:aws:ses:${cloud.region}:${cloud.accountId}:identity/example.com`,
        Condition: { StringEquals: { 'ses:FromAddress': ['rekey@mail.example.com', 'rekey@example.org'] } },
      },
    ]);
    mailer = (from) => new SesMailer(from, new SESv2Client(cloud.clientOptions(credentials)));
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const mail = { to: 'ada@example.net', subject: 'May this go on?', text: 'Look here.\nDecide there.' };

  test('go from the address that the policy names, by the identity above it that is verified', async () => {
    await mailer('rekey@mail.example.com').send(mail);
    expect(await sentMails(cloud)).toEqual([
      { Source: 'rekey@mail.example.com', To: [mail.to], Subject: mail.subject, BodyText: mail.text },
    ]);
  });

  test.each([
    ['another address of the identity', 'other@example.com'],
    ['the address of another identity', 'rekey@example.org'],
  ])('do not go from %s', async (_, from) => {
    await expect(mailer(from).send(mail)).rejects.toMatchObject({ code: 'AccessDenied' });
  });
});
