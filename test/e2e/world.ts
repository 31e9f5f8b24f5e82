import { rm } from 'node:fs/promises';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { v7 } from 'uuid';
import { busName, deploymentParameters, deploymentPath } from '../../core/deployed/names.ts';
import type { Cleanup } from '../../local/process/cleanup.ts';
import { newFolder, newServerFolder } from '../../local/process/folders.ts';
import {
  deployLocally,
  environmentName,
  type LocalDeployment,
  type RoleName,
} from '../../local/tour/deployment.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { terminal } from '../../local/tour/terminal.ts';
import { stopTargets } from '../conformance/scene.ts';
import { type LogRecord, RecordedLog } from '../recorded-log.ts';
import type { Participant } from './participant.ts';
import { cache, startFurther } from './participants.ts';
import { signalSettings } from './signal-settings.ts';

/** The deployment that all sections share, and what tests ask of it over and over. */
export interface World extends LocalDeployment {
  /** A secret of each further type, and the way to its target. */
  readonly participants: readonly Participant[];
  /** Everything that the CLI has printed. */
  readonly printed: readonly string[];
  /** Puts an event on the bus. */
  put(role: RoleName, event: { source: string; detailType: string; detail: unknown }): Promise<void>;
  /** A request as the CLI would send it, with whatever is different. */
  request(data: Record<string, unknown>, metadata?: Record<string, unknown>): RequestDetail;
  /** Waits for a record of this type that mentions `text`. */
  recorded(detailType: string, text: string): Promise<LogRecord>;
  records(): Promise<readonly LogRecord[]>;
  parameter(name: keyof typeof deploymentParameters): Promise<string>;
  /** How many executions the revocation workflow has had. */
  executions(): Promise<number>;
}

export interface RequestDetail {
  readonly metadata: { readonly id: string } & Record<string, unknown>;
  readonly data: Record<string, unknown>;
}

/** Name of a secret that nothing rotates. */
export const manualSecret = 'vendor/licence';

/** Settings of the environment that the tour does without. */
const more = {
  fingerprints: true,
  trail: { create: true },
  ...signalSettings,
  // Values are stored by a clock that another section moves a month ahead.
  lifecycle: { remindDaysBefore: [60] },
  manualSecrets: {
    licence: {
      adopt: manualSecret,
      owner: 'team-shop',
      purpose: 'opens the API of a vendor',
      replaceEveryDays: 1,
    },
  },
};

export async function openWorld(cleanup: Cleanup): Promise<World> {
  const [directory, servers] = [await newFolder('e2e'), await newServerFolder('e2e')];
  for (const folder of [directory, servers]) {
    cleanup.add(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  }
  cleanup.add(stopTargets);
  const participants: Participant[] = [];
  const deployment = await deployLocally(directory, terminal(process.stderr), cleanup, {
    servers,
    async further(cloud) {
      const further = await startFurther(directory, cloud, cleanup);
      participants.push(...further.participants);
      return further.targets;
    },
    // An overlap is over as soon as somebody looks, and two secrets of one function that fail in a row are enough.
    variables: {
      REKEY_LOCAL_OVERLAP_HOURS: '0',
      REKEY_LOCAL_BRAKE_AFTER: '2',
      REKEY_LOCAL_MORE: JSON.stringify(more),
    },
  });
  participants.push(...cache(deployment));
  const { cloud, credentials } = deployment;
  const printed: string[] = [];
  const rekey: LocalDeployment['rekey'] = async (...call) => {
    const finished = await deployment.rekey(...call);
    printed.push(finished.stdout, finished.stderr);
    return finished;
  };
  const rekeyReading: LocalDeployment['rekeyReading'] = async (...call) => {
    const finished = await deployment.rekeyReading(...call);
    printed.push(finished.stdout, finished.stderr);
    return finished;
  };
  const parameter: World['parameter'] = async (name) => {
    const ssm = new SSMClient(cloud.clientOptions(credentials.operator));
    const { Parameter } = await ssm.send(
      new GetParameterCommand({ Name: `${deploymentPath(environmentName)}/${deploymentParameters[name]}` }),
    );
    return Parameter?.Value ?? '';
  };
  const log = await RecordedLog.of(cloud, environmentName, credentials.auditor);
  const records = async (): Promise<readonly LogRecord[]> => {
    const { all, more } = await log.read();
    printed.push(...more.map(({ text }) => text));
    return all;
  };
  return {
    ...deployment,
    participants,
    rekey,
    rekeyReading,
    printed,
    records,
    parameter,
    async put(role, { source, detailType, detail }) {
      const events = new EventBridgeClient(cloud.clientOptions(credentials[role]));
      const { FailedEntryCount, Entries } = await events.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: busName(environmentName),
              Source: source,
              DetailType: detailType,
              Detail: JSON.stringify(detail),
            },
          ],
        }),
      );
      if (FailedEntryCount !== 0) {
        throw new Error(`refused: ${Entries?.[0]?.ErrorCode}`);
      }
    },
    request: (data, metadata = {}) => {
      const id = v7();
      return {
        metadata: {
          id,
          schemaVersion: 1,
          time: new Date().toISOString(),
          environment: environmentName,
          actor: 'end-to-end test',
          correlationId: id,
          ...metadata,
        },
        data: { mode: 'kill', reason: 'end-to-end test', ...data },
      };
    },
    recorded: (detailType, text) =>
      eventually(`${detailType} with ${text} in the audit log`, async () =>
        (await records()).find((record) => record.detailType === detailType && record.text.includes(text)),
      ),
    async executions() {
      const states = new SFNClient(cloud.clientOptions(credentials.administrator));
      const stateMachineArn = await parameter('revocationWorkflowArn');
      const { executions = [] } = await states.send(
        new ListExecutionsCommand({ stateMachineArn, maxResults: 1000 }),
      );
      return executions.length;
    },
  };
}
