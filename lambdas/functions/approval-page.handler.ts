import { KMSClient } from '@aws-sdk/client-kms';
import { KmsMacKey } from '../../adapters/mac-key.ts';
import { approvalPageEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { limiter } from '../../core/pace/limiter.ts';
import { type HttpResponse, serveLink } from '../approval/page.ts';
import { settling } from './approval.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(approvalPageEnvironmentSchema);
const settle = settling(environment);
const key = new KmsMacKey(new KMSClient({}), environment.REKEY_APPROVAL_LINK_KEY);
const admit = limiter(120, Date.now);

/** Serves the page behind the links that approvers are sent. */
export const handler = standardHandler<unknown, HttpResponse>((event, tools) =>
  serveLink(event, { ...settle(tools), key, admit, approvers: environment.REKEY_APPROVERS }),
);
