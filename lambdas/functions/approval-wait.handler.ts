import { KMSClient } from '@aws-sdk/client-kms';
import { KmsMacKey } from '../../adapters/mac-key.ts';
import { SesMailer } from '../../adapters/mailer.ts';
import { approvalWaitEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { wait, waitInputSchema } from '../approval/wait.ts';
import type { Tools } from '../tools.ts';
import { parsed, settling } from './approval.ts';
import { loggable, standardHandler } from './standard-handler.ts';

const environment = readEnvironment(approvalWaitEnvironmentSchema);
const settle = settling(environment);
const escalateAfterMinutes = environment.REKEY_APPROVAL_ESCALATE_MINUTES;
const limits = {
  minutes: environment.REKEY_APPROVAL_MINUTES,
  ...(escalateAfterMinutes !== undefined && { escalateAfterMinutes }),
  onExpiry: environment.REKEY_APPROVAL_ON_EXPIRY,
};
const from = environment.REKEY_APPROVAL_MAIL_FROM;
const mails =
  from === undefined
    ? undefined
    : {
        addresses: environment.REKEY_APPROVAL_ADDRESSES,
        page: environment.REKEY_APPROVAL_PAGE,
        key: new KmsMacKey(new KMSClient({}), environment.REKEY_APPROVAL_LINK_KEY),
        mailer: new SesMailer(from),
      };
const linksFor = ({ logger }: Tools) =>
  mails && {
    ...mails,
    failed: (name: string, error: unknown) =>
      logger.error('a link was not sent; the next round tries again', { approver: name, ...loggable(error) }),
  };

/** Waits for a second person, as a step of a workflow. */
export const handler = standardHandler<unknown, void>((event, tools) => {
  const links = linksFor(tools);
  return wait(parsed(waitInputSchema, event), limits, { ...settle(tools), ...(links && { links }) });
});
