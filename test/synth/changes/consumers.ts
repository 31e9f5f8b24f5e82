import type { Field } from '../../../lib/config/changes.ts';
import type { ConfigurationInput } from '../../../lib/config/schema.ts';

type Consumers = NonNullable<ConfigurationInput['environments'][string]['consumers']>;

/** The fields of workloads; {@link consumersAt} has their values. */
export const consumerSamples: Readonly<Record<Field & `consumers.${string}`, Record<string, never>>> = {
  'consumers.*': {},
  'consumers.*.leadsTo.*.secret': {},
  'consumers.*.leadsTo.*.task': {},
};

/** Gives the workloads of one of the steps: one comes, leads elsewhere, and goes. */
export const consumersAt = (step: number): Consumers =>
  [
    { checkout: {} },
    {
      checkout: { leadsTo: [{ secret: 'purpose' }, { task: 'End the sessions.' }] },
      ledger: { leadsTo: [{ task: 'Close the books.' }] },
    },
    { checkout: { leadsTo: [{ secret: 'owner' }, { task: 'End all sessions.' }] } },
    {},
  ][step] ?? {};
