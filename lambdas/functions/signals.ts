import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SSMClient } from '@aws-sdk/client-ssm';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { EventBridgeBus } from '../../adapters/event-bus.ts';
import { LambdaFingerprints } from '../../adapters/fingerprint-calls.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import type { SignalPolicies } from '../../core/signal/policy.ts';
import { isUnverifiable } from '../../rotators/registry.ts';
import type { SignalDependencies } from '../signal/take-signals.ts';
import type { Tools } from '../tools.ts';
import { originOf } from './origin.ts';
import { emergencyBus, recordRoutes } from './record-bus.ts';

/** Wires what answers signals. */
export function signalling(environment: {
  readonly REKEY_ENVIRONMENT: string;
  readonly REKEY_EVENT_BUS: string;
  readonly REKEY_AUDIT_QUEUE_URL: string;
  readonly REKEY_SIGNALS: SignalPolicies;
  readonly REKEY_FINGERPRINT_LOOKUP?: string | undefined;
}) {
  const routes = recordRoutes(environment);
  const definitions = new SsmDefinitionStore(new SSMClient({}), environment.REKEY_ENVIRONMENT);
  const fingerprints = new LambdaFingerprints(new LambdaClient({}));
  const requests = new EventBridgeBus(new EventBridgeClient({}), environment.REKEY_EVENT_BUS);
  const { REKEY_FINGERPRINT_LOOKUP: lookup } = environment;
  return (tools: Tools, patienceMs: number): SignalDependencies => ({
    policies: environment.REKEY_SIGNALS,
    lookUp:
      lookup === undefined
        ? undefined
        : (hashes) =>
            fingerprints.lookUp(lookup, {
              hashes: [...hashes],
              claimedActor: `lambda:${tools.functionName}`,
            }),
    definitions,
    isUnverifiable,
    records: emergencyBus(routes, tools),
    requests,
    origin: originOf('rekey.signal', environment, tools),
    askPeople: () => tools.metrics.addMetric(metricNames.signalToDecide, MetricUnit.Count, 1),
    patienceMs,
  });
}
