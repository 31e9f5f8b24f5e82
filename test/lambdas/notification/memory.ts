import type { Held } from '../../../core/notification/digest.ts';
import type { Incident } from '../../../core/notification/incident.ts';
import type { HeldEntry, KeptIncident, NotificationMemory } from '../../../core/notification/ports.ts';

const leaseMs = 90_000;

/** The notifier's memory without a table; `test/local/notification-memory.test.ts` holds both to the same contract. */
export class PlainNotificationMemory implements NotificationMemory {
  readonly messages = new Map<string, { state: 'sending' | 'sent' | 'held'; until: number }>();
  readonly held = new Map<string, Held>();
  readonly counts = new Map<string, Set<string>>();
  readonly pauses = new Map<string, Date>();
  readonly incidents = new Map<string, KeptIncident>();
  readonly steps = new Set<string>();

  async claim(channel: string, id: string, now: Date) {
    const kept = this.messages.get(`${channel} ${id}`);
    if (kept !== undefined && kept.state !== 'sending') return 'done' as const;
    if (kept !== undefined && kept.until >= now.getTime()) return 'taken' as const;
    this.messages.set(`${channel} ${id}`, { state: 'sending', until: now.getTime() + leaseMs });
    return 'mine' as const;
  }

  async sent(channel: string, id: string) {
    this.messages.set(`${channel} ${id}`, { state: 'sent', until: 0 });
  }

  async unclaim(channel: string, id: string) {
    this.messages.delete(`${channel} ${id}`);
  }

  async hold(channel: string, held: Held, due: Date) {
    this.held.set(`${channel} ${due.toISOString()} ${held.id}`, held);
    this.messages.set(`${channel} ${held.id}`, { state: 'held', until: 0 });
  }

  async due(channel: string, now: Date, limit: number): Promise<readonly HeldEntry[]> {
    return [...this.held]
      .filter(
        ([key]) => key.startsWith(`${channel} `) && key.slice(channel.length + 1) <= `${now.toISOString()}!`,
      )
      .sort(([one], [other]) => one.localeCompare(other))
      .slice(0, limit)
      .map(([key, held]) => ({ key: key.slice(channel.length + 1), held }));
  }

  async forget(channel: string, entries: readonly HeldEntry[]) {
    for (const { key } of entries) this.held.delete(`${channel} ${key}`);
  }

  async take(bucket: string, taker: string, limit: number) {
    const takers = this.counts.get(bucket) ?? new Set();
    if (!takers.has(taker) && takers.size >= limit) return false;
    this.counts.set(bucket, takers.add(taker));
    return true;
  }

  async pause(channel: string, until: Date) {
    this.pauses.set(channel, until);
  }

  async pausedUntil(channel: string) {
    return this.pauses.get(channel);
  }

  async incident(id: string) {
    return this.incidents.get(id);
  }

  async replace(version: number, incident: Incident, { before, next }: { before?: Date; next?: Date }) {
    if ((this.incidents.get(incident.id)?.version ?? 0) !== version) return false;
    this.incidents.set(incident.id, { incident, version: version + 1 });
    if (before !== undefined) this.steps.delete(`${before.toISOString()} ${incident.id}`);
    if (next !== undefined) this.steps.add(`${next.toISOString()} ${incident.id}`);
    return true;
  }

  async dueSteps(now: Date, limit: number) {
    return [...this.steps]
      .filter((step) => step <= `${now.toISOString()}!`)
      .sort()
      .slice(0, limit)
      .map((step) => {
        const [due = '', id = ''] = step.split(' ');
        return { id, due: new Date(due) };
      });
  }

  async forgetStep(id: string, due: Date) {
    this.steps.delete(`${due.toISOString()} ${id}`);
  }
}
