import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import type * as z from 'zod';
import { approvalStore } from '../../adapters/approval-store.ts';
import { StsIdentities } from '../../adapters/identities.ts';
import { SsmPermittedRoles } from '../../adapters/permitted-roles.ts';
import { systemClock } from '../../adapters/system.ts';
import { StepFunctionsTasks } from '../../adapters/waiting-tasks.ts';
import { codes } from '../../core/errors/codes.ts';
import { type ErrorSummary, RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import type { IdentifyDependencies } from '../approval/identify.ts';
import type { SettleDependencies } from '../approval/settle.ts';
import type { Tools } from '../tools.ts';
import { originOf } from './origin.ts';
import { emergencyBus, recordBus, recordRoutes } from './record-bus.ts';
import { type Handle, loggable } from './standard-handler.ts';

/**
 * Reads an input.
 * @throws RekeyError `ApprovalMalformed` with the places that are wrong, and not with what stands there
 */
export function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(input);
  if (error === undefined) return data as z.output<Schema>;
  const paths = [...new Set(error.issues.map(({ path }) => path.join('.') || 'input'))];
  throw new RekeyError('ApprovalMalformed', `missing, unknown or of a wrong form: ${paths.join(', ')}`);
}

/** Wires what finds out who somebody is. */
export const identification = (environment: {
  readonly REKEY_ENVIRONMENT: string;
  readonly REKEY_ACCOUNT: string;
}): IdentifyDependencies => ({
  identities: new StsIdentities(),
  roles: new SsmPermittedRoles(new SSMClient({}), environment.REKEY_ENVIRONMENT),
  place: {
    environment: environment.REKEY_ENVIRONMENT,
    account: environment.REKEY_ACCOUNT,
    region: process.env.AWS_REGION ?? '',
  },
  clock: systemClock,
});

/** An answer of a function that a person asks: the result, or why there is none. */
export type Reply<Result> = Result | { readonly refused: ErrorSummary };

/**
 * Answers a person. What they did wrong is an answer, not an error of the function, which would raise its alarm; it stands in the
 * log.
 */
export const replies =
  <Result>(handle: Handle<unknown, Result>): Handle<unknown, Reply<Result>> =>
  async (event, tools) => {
    try {
      return await handle(event, tools);
    } catch (error) {
      if (!(error instanceof RekeyError) || !Object.hasOwn(codes.approval, error.code)) throw error;
      tools.logger.warn('refused', loggable(error));
      return { refused: summarizeError(error) };
    }
  };

/** Wires what notes decisions, records them, and has workflows go on. */
export function settling(environment: {
  readonly REKEY_ENVIRONMENT: string;
  readonly REKEY_EVENT_BUS: string;
  readonly REKEY_AUDIT_QUEUE_URL: string;
  readonly REKEY_APPROVAL_TABLE: string;
}) {
  const routes = recordRoutes(environment);
  const store = approvalStore(environment.REKEY_APPROVAL_TABLE);
  const tasks = new StepFunctionsTasks(new SFNClient({}));
  return (tools: Tools): SettleDependencies => ({
    store,
    tasks,
    bus: (operation) => (operation === 'revocation' ? emergencyBus(routes, tools) : recordBus(routes, tools)),
    origin: originOf('rekey.approval', environment, tools),
  });
}
