import type { DetailType } from '../events/catalogue.ts';
import type { Urgency } from './settings.ts';

/** A fact of a message: its name, and a value that others may have written. */
export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** The part that an event plays for the incident that it belongs to. */
export type Act = 'opens' | 'resolves' | 'acknowledges' | 'escalates' | 'tells';

/** A message before it is written for a vendor. Every text is one bounded line; none of it is a secret's value. */
export interface Notice {
  /** Id of the event, by which a second delivery of it is known. */
  readonly id: string;
  /** Kind of the event; that of a digest has a word of its own. */
  readonly kind: DetailType | 'Digest';
  readonly environment: string;
  /** Time of the event, ISO 8601. */
  readonly time: string;
  readonly urgency: Urgency;
  readonly title: string;
  /** Name of the secret or function. */
  readonly subject: string;
  readonly facts: readonly Fact[];
  /** Name of the runbook, and where it is. */
  readonly runbook?: string;
  /** The incident that it belongs to. */
  readonly incident?: { readonly id: string; readonly act: Act };
}

/** Lists the lines of a message in plain text, as mails and summaries have them. */
export const linesOf = ({ title, facts, runbook }: Notice): readonly string[] => [
  title,
  ...facts.map(({ name, value }) => `${name}: ${value}`),
  ...(runbook === undefined ? [] : [`Runbook: ${runbook}`]),
];
