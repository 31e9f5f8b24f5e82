import type { Notice } from './notice.ts';
import { type NotifierSettings, ownerWord, type Route } from './settings.ts';

/** Kinds that call somebody out and keep an alert until it is resolved. */
const alertKinds: ReadonlySet<string> = new Set(['pagerduty', 'opsgenie']);

/** Tells whether a channel keeps alerts, which are acknowledged and resolved. */
export const keepsAlerts = (name: string, { channels }: Pick<NotifierSettings, 'channels'>): boolean =>
  alertKinds.has(channels[name]?.kind ?? '');

/** Lists the channels of whoever answers for a secret. An owner without one has those that are nobody's in particular. */
function channelsOfOwner(owner: string | undefined, settings: Pick<NotifierSettings, 'channels'>): string[] {
  const all = Object.entries(settings.channels);
  const own = all.filter(([, { owners }]) => owner !== undefined && owners.includes(owner));
  const general = all.filter(([, { owners }]) => owners.length === 0);
  // Nobody is called out for what can wait, as long as somebody else is there to read it.
  const quiet = general.filter(([name]) => !keepsAlerts(name, settings));
  const chosen = [own, quiet, general, all].find((some) => some.length > 0) ?? [];
  return chosen.map(([name]) => name);
}

const matches = (route: Route, { kind, urgency }: Notice, owner: string | undefined): boolean =>
  (route.events?.includes(kind) ?? true) &&
  (route.urgencies?.includes(urgency) ?? true) &&
  (route.owners === undefined || (owner !== undefined && route.owners.includes(owner)));

/**
 * Lists the channels that are told. Emergencies go to each channel that takes them, and routes add to that. Of anything else,
 * the routes that match decide. Without one, a warning goes to the owner, and a success to nobody.
 */
export function channelsFor(
  notice: Notice,
  owner: string | undefined,
  settings: NotifierSettings,
): readonly string[] {
  const matched = settings.routes.filter((route) => matches(route, notice, owner));
  const routed = matched.flatMap(({ to }) => to);
  if (notice.urgency === 'emergency') {
    const all = Object.entries(settings.channels);
    const marked = all.filter(([, { emergencies }]) => emergencies);
    return known([...routed, ...(marked.length > 0 ? marked : all).map(([name]) => name)], settings);
  }
  if (matched.length > 0) return known(routed, settings);
  return notice.urgency === 'warning' ? channelsOfOwner(owner, settings) : [];
}

/** Lists channels by name, with those of the owner in the place of the word, each once. */
export const namedChannels = (
  names: readonly string[],
  owner: string | undefined,
  settings: NotifierSettings,
): readonly string[] =>
  known(
    names.flatMap((name) => (name === ownerWord ? channelsOfOwner(owner, settings) : [name])),
    settings,
  );

const known = (names: readonly string[], { channels }: NotifierSettings): string[] =>
  [...new Set(names)].filter((name) => Object.hasOwn(channels, name));
