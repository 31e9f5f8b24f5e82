import type { Notice } from '../notice.ts';
import type { ChannelKind } from '../settings.ts';
import { opsgenie } from './opsgenie.ts';
import { pagerduty } from './pagerduty.ts';
import { slack } from './slack.ts';
import { teams } from './teams.ts';
import type { Occasion, Outgoing, Vendor } from './vendor.ts';
import { webhook } from './webhook.ts';

/** A receiver whose secret was read, or the fields of the secret that are not as they must be. */
export type OpenedReceiver =
  | { readonly write: (notice: Notice, occasion: Occasion) => Outgoing }
  | { readonly faults: readonly string[] };

/** A kind of receiver that is reached over HTTPS. */
export interface Receiver {
  /** Takes the parsed JSON of a secret. Faults name fields and rules, never values. */
  open(secret: unknown): OpenedReceiver;
  readonly taken: (status: number) => boolean;
  readonly refusesCredential: (status: number) => boolean;
}

function receiver<Credential extends object>(vendor: Vendor<Credential>): Receiver {
  const { taken, refusesCredential } = vendor;
  return {
    taken,
    refusesCredential,
    open(secret) {
      const parsed = vendor.credential.safeParse(secret);
      if (!parsed.success) {
        return {
          faults: parsed.error.issues.map(
            ({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`,
          ),
        };
      }
      return { write: (notice, occasion) => vendor.write(notice, occasion, parsed.data) };
    },
  };
}

/** The receivers that are reached over HTTPS, by their kind. */
export const receivers: Readonly<Record<Exclude<ChannelKind, 'sns'>, Receiver>> = {
  slack: receiver(slack),
  teams: receiver(teams),
  webhook: receiver(webhook),
  pagerduty: receiver(pagerduty),
  opsgenie: receiver(opsgenie),
};
