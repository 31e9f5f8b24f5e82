import fc from 'fast-check';
import type { InvocationOptions } from './histories.ts';
import { Rotations, type Steps } from './secrets-manager.ts';

/** What people, policies and Secrets Manager do to one secret between any two steps. */
export type Happening =
  | { kind: 'step'; cold: boolean; crash?: { calls: number; when: 'before' | 'after' } }
  /** All steps that are left of the rotation in progress, or a new one. */
  | { kind: 'rotation' }
  /** A person stores another value of a key that is not of the credential. */
  | { kind: 'edit' }
  /** A person sets a password at the target, and stores it or not. */
  | { kind: 'password'; stored: boolean }
  /** A person moves a label to the n-th version that there is. */
  | { kind: 'label'; label: 'AWSPENDING' | 'AWSCURRENT' | 'of-a-person'; version: number }
  /** The server begins or ceases to refuse passwords by its rules. */
  | { kind: 'policy'; strict: boolean };

const crash = fc.record({
  calls: fc.nat({ max: 8 }),
  when: fc.constantFrom('before' as const, 'after' as const),
});

/** Generates histories. @param options.policy - whether the server can be told to refuse passwords */
export const histories = ({ policy, most }: { readonly policy: boolean; readonly most: number }) =>
  fc.array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc
          .record({ cold: fc.boolean(), crash: fc.option(crash, { nil: undefined, freq: 4 }) })
          .map(
            ({ cold, crash: point }): Happening => ({ kind: 'step', cold, ...(point && { crash: point }) }),
          ),
      },
      { weight: 2, arbitrary: fc.constant<Happening>({ kind: 'rotation' }) },
      { weight: 3, arbitrary: fc.constant<Happening>({ kind: 'edit' }) },
      { weight: 2, arbitrary: fc.boolean().map((stored): Happening => ({ kind: 'password', stored })) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('label' as const),
          label: fc.constantFrom('AWSPENDING' as const, 'AWSCURRENT' as const, 'of-a-person' as const),
          version: fc.nat({ max: 9 }),
        }),
      },
      {
        weight: policy ? 1 : 0,
        arbitrary: fc.boolean().map((strict): Happening => ({ kind: 'policy', strict })),
      },
    ),
    { minLength: 3, maxLength: most },
  );

/** Where a history takes place. */
export interface Stage extends Steps<InvocationOptions> {
  /** Changes the password of a user at the target, as its administrator does. */
  setPassword(secret: Record<string, unknown>, password: string): void | Promise<void>;
  setPolicy(strict: boolean): void;
  /** A person has changed something, and looks at it before they go on. */
  lookedAt(): void | Promise<void>;
}

/** Of a text of JSON, the part that rotations may change, with the name of the key. */
const credential = /"(username|password)":"(?:[^"\\]|\\.)*"/g;
const withoutCredential = (text: string): string => text.replaceAll(credential, '"$1"');
const textWith = (text: string, key: 'note' | 'password', value: string): string =>
  text.replace(new RegExp(`"${key}":"(?:[^"\\\\]|\\\\.)*"`), `"${key}":${JSON.stringify(value)}`);

/** Plays what happens to one secret; its JSON holds a key `note`. */
export class Story {
  readonly #stage: Stage;
  readonly #rotations: Rotations<InvocationOptions>;
  readonly everCurrent = new Set<string>();
  #edits = 0;
  /** What the current version must hold besides the credential, byte for byte. */
  kept: string;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#rotations = new Rotations(stage);
    this.kept = withoutCredential(this.text());
    this.#noteCurrent();
  }

  text(): string {
    return this.#stage.store.peek(this.#stage.arn, 'AWSCURRENT')?.value ?? '{}';
  }

  current(): Record<string, unknown> {
    return JSON.parse(this.text());
  }

  /** What the current version holds besides the credential. */
  found(): string {
    return withoutCredential(this.text());
  }

  async play(happening: Happening): Promise<void> {
    if (happening.kind === 'step') await this.#rotations.step(happening);
    else if (happening.kind === 'rotation') await this.rotation();
    else {
      await this.#byPerson(happening);
      await this.#stage.lookedAt();
    }
    this.#noteCurrent();
  }

  /** Runs the steps that are left, or a rotation from its beginning. */
  async rotation(): Promise<Error | undefined> {
    return await this.#rotations.rotation({ cold: false });
  }

  /**
   * Whether anything in Secrets Manager tells that the pending version was current before. Where nothing does, it is the wish
   * of whoever has put the label on it.
   */
  async showsItsAge(): Promise<boolean> {
    const { store, arn } = this.#stage;
    const { versions, lastRotated } = await store.describe(arn);
    const pending = await store.read(arn, { stage: 'AWSPENDING' });
    const holder = await store.read(arn, { stage: 'AWSCURRENT' });
    const made = Number(pending?.created);
    return (
      versions[pending?.versionId ?? '']?.includes('AWSPREVIOUS') === true ||
      Number(lastRotated ?? 0) > made ||
      Number(holder?.created) > made
    );
  }

  #noteCurrent(): void {
    this.everCurrent.add(String(this.current().password));
  }

  async #byPerson(happening: Exclude<Happening, { kind: 'step' | 'rotation' }>): Promise<void> {
    const { store, arn, setPassword, setPolicy } = this.#stage;
    this.#edits += 1;
    const versionId = `by-hand-${this.#edits}`;
    switch (happening.kind) {
      case 'edit':
        store.put(arn, versionId, textWith(this.text(), 'note', `edit ${this.#edits}`));
        break;
      case 'password': {
        const password = `Set by a person ${this.#edits}`;
        await setPassword(this.current(), password);
        if (happening.stored) store.put(arn, versionId, textWith(this.text(), 'password', password));
        break;
      }
      case 'label': {
        const ids = store.ids(arn);
        store.label(arn, happening.label, ids[happening.version % ids.length] ?? 'v1');
        break;
      }
      case 'policy':
        setPolicy(happening.strict);
    }
    this.kept = this.found();
  }
}
