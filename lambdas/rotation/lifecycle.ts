import { SecretError, summarizeError } from '../../core/errors/rekey-error.ts';
import { createEvent } from '../../core/events/create.ts';
import { lookUntil, type WithWait } from '../../core/pace/patience.ts';
import type { EventBus } from '../../core/ports.ts';
import { type ApplyContext, isFailed, type TargetContext } from '../../core/rotator.ts';
import { changeMembers, memberChanges } from '../../core/secret/json-text.ts';
import {
  type SecretDescription,
  type SecretVersion,
  type Strategy,
  stages,
  versionWith,
  wasRotated,
} from '../../core/secret/secret.ts';
import {
  applyDefinition,
  currentForSet,
  type DefinitionDependencies,
  leftBehind,
  noteContent,
} from './apply-definition.ts';
import { credentialsAtHand } from './credentials.ts';
import { parseRotationEvent, type RotationEvent, type Step } from './event.ts';
import { withFindings } from './findings.ts';
import { type MayBeginDependencies, requireMayBegin } from './may-begin.ts';
import { moveCurrent } from './move-current.ts';
import { recordFailure, subjectOf } from './records.ts';
import { isRefusedForGood } from './refusals.ts';
import { needsRoom, retirePrevious } from './retire.ts';
import { parseCredential, parseUnlessFirst } from './secret-value.ts';
import { giveUpHopeless, requireTrusted } from './trust.ts';
import type { VersionCache } from './version-cache.ts';

/** The dependencies of the engine; everything outside comes through them. */
export interface LifecycleDependencies<S extends object>
  extends DefinitionDependencies<S>,
    Pick<MayBeginDependencies, 'mayBegin'>,
    WithWait {
  readonly store: VersionCache;
  /** Takes records, by one way or another. A rotation starts only once the record that says so is taken. */
  readonly records: EventBus;
  readonly target: Omit<TargetContext, 'finding'>;
}

/** The report of the engine to its caller; the handler makes metrics of it. */
export interface StepReport {
  readonly step: Step;
  /** False when there was nothing left to do: the version is current already. */
  readonly done: boolean;
  /** On the step that completed a rotation: milliseconds since its pending version was stored. */
  readonly rotationMs?: number;
  /** True where a rotation has succeeded and was said to, again where the step that did it died before. */
  readonly announced?: boolean;
}

/**
 * The engine that owns the four steps for every secret type: guards, idempotency, staging labels, records.
 *
 * Steps may be retried, duplicated, run at once or be killed anywhere. What makes that safe: the pending value is
 * stored before the target hears of it and never changes afterwards; the target is only ever told values that
 * Secrets Manager keeps; and AWSCURRENT moves only to a version that has logged in.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
export class RotationLifecycle<S extends object> {
  readonly #deps: LifecycleDependencies<S>;
  #secretArn: string | undefined;

  constructor(dependencies: LifecycleDependencies<S>) {
    const { rotator, strategy } = dependencies;
    const strategies: readonly Strategy[] = rotator.strategies;
    if (!strategies.includes(strategy)) {
      throw new SecretError(
        'StrategyUnsupported',
        `${rotator.type} secrets do not support ${strategy}; choose ${strategies.join(' or ')}`,
      );
    }
    this.#deps = dependencies;
  }

  /** The secret that the last step has described, which is the function's own. */
  get secretArn(): string | undefined {
    return this.#secretArn;
  }

  /**
   * Runs one step.
   * @param input - Secrets Manager's event, unchecked
   * @throws SecretError, TargetError, AuditUnavailableError; a failure is published before it is thrown
   */
  async run(input: unknown): Promise<StepReport> {
    const event = parseRotationEvent(input);
    let description: SecretDescription | undefined;
    try {
      description = await this.#describe(event);
      this.#secretArn = description.arn;
      const state = this.#guard(event, description);
      if (state === 'current' && event.step !== 'finishSecret') {
        return { step: event.step, done: false };
      }
      return await this.#step(event, description, state);
    } catch (cause) {
      const error = await giveUpHopeless(cause, event, this.#deps);
      this.#deps.store.forget(event.secretId);
      await recordFailure(event, description, error, this.#deps);
      throw error;
    }
  }

  /**
   * Describes the secret. At the same time it reads ahead what every step but the first goes on with: between set and finish,
   * consumers of a single-user secret wait for each round trip. What is wrong with that version, the step itself finds and says
   * after the guards. An answer that may be older than the rotation is asked for again.
   */
  async #describe({ step, secretId, token }: RotationEvent): Promise<SecretDescription> {
    const { store, wait } = this.#deps;
    const ahead =
      step === 'createSecret' ? undefined : store.read(secretId, { versionId: token }).catch(() => undefined);
    const [description] = await Promise.all([
      lookUntil(
        () => store.describe(secretId),
        ({ rotationEnabled, versions }) => rotationEnabled && versions[token] !== undefined,
        wait,
      ),
      ahead,
    ]);
    return description;
  }

  #step(
    event: RotationEvent,
    description: SecretDescription,
    state: 'pending' | 'current',
  ): Promise<StepReport> {
    switch (event.step) {
      case 'createSecret':
        return this.#create(event, description);
      case 'setSecret':
        return this.#set(event, description);
      case 'testSecret':
        return this.#test(event, description);
      case 'finishSecret':
        return this.#finish(event, description, state);
    }
  }

  /** Secrets Manager's own rules for a step; see "Rotation" in docs/architecture.md. */
  #guard({ token, step }: RotationEvent, description: SecretDescription): 'pending' | 'current' {
    const { name, versions } = description;
    if (!description.rotationEnabled) {
      throw new SecretError(
        'RotationDisabled',
        `rotation of ${name} is not enabled; turn it on before ${step}`,
      );
    }
    const labels = versions[token];
    if (labels === undefined) {
      throw new SecretError(
        'VersionUnknown',
        `${name} has no version ${token}; the event is stale or not of this secret`,
      );
    }
    if (labels.includes(stages.current)) {
      return 'current';
    }
    if (!labels.includes(stages.pending)) {
      throw new SecretError(
        'VersionNotPending',
        `version ${token} of ${name} is not labelled ${stages.pending}; start a new rotation`,
      );
    }
    return 'pending';
  }

  async #create(
    { step, secretId, token, rotationToken }: RotationEvent,
    description: SecretDescription,
  ): Promise<StepReport> {
    const { rotator, store, records } = this.#deps;
    await requireMayBegin(description, token, this.#deps);
    const version = await this.#currentVersion(description);
    // What a target has issued is worth nothing unless it is stored: an earlier try's must not be made again.
    if (rotator.kind === 'issuing' && (await store.read(description.arn, { versionId: token }))) {
      return { step, done: true };
    }
    const base = await this.#withFindings(description, token, (target) =>
      applyDefinition(description, version.value, target, this.#deps),
    );
    await records.publish([
      createEvent(
        this.#deps.origin,
        'Secret Rotation Started',
        { ...subjectOf(description, token, this.#deps), previousVersionId: version.versionId },
        { correlationId: token, fact: `${description.arn} ${token}` },
      ),
    ]);
    await this.#atTarget(description, token, base.present, async (context) => {
      const proposing = { ...context, passwords: this.#deps.passwords, token };
      const propose = () => rotator.propose(base.credential, proposing);
      const discard = async (proposal: S) => {
        if (rotator.kind === 'issuing') await rotator.discard(proposal, context);
      };
      const proposal = await propose().catch(async (error: unknown) => {
        // Only now the credential before the current one must go: it is promised to work until its overlap ends.
        if (!needsRoom(error)) throw error;
        const done = await retirePrevious(this.#deps, description, {
          current: version,
          act: 'remove',
          context,
        });
        if (done === 'nothing') throw error;
        return await propose();
      });
      const value = changeMembers(version.value, {
        ...memberChanges(base.held, base.json),
        ...memberChanges(base.credential, proposal),
      });
      const stored = await store.putPending(secretId, token, value, rotationToken).catch(async (error) => {
        if (isRefusedForGood(error)) await discard(proposal).catch(() => undefined);
        throw error;
      });
      if (stored === 'kept') {
        await discard(proposal);
      } else {
        store.noteBase(description.arn, token, version.versionId);
        if (base.mark !== undefined) store.noteContent(description.arn, token, base.mark);
      }
    });
    return { step, done: true };
  }

  async #set({ step, token }: RotationEvent, description: SecretDescription): Promise<StepReport> {
    const { rotator, strategy } = this.#deps;
    const [version, pending] = await Promise.all([
      this.#currentVersion(description),
      this.#pending(description, token),
    ]);
    const next = this.#parsed(pending, description, token);
    await requireTrusted(pending, description, this.#deps);
    const { current, moved } = await currentForSet(next, version.value, description, this.#deps);
    rotator.check(next, current, { strategy });
    // Where the credential moves to, none of its versions may be tried: nobody there knows it but the admin.
    const known = moved.length === 0 ? current : next;
    await this.#atTarget(description, token, known, async (context) => {
      await rotator.apply(next, context);
      if (moved.length > 0) context.finding(leftBehind(rotator.identity(current), moved));
    });
    return { step, done: true };
  }

  async #test({ step, token }: RotationEvent, description: SecretDescription): Promise<StepReport> {
    const { store, rotator } = this.#deps;
    const pending = await this.#valueOf(description, token);
    // Without immediate rotation, Secrets Manager runs this step alone, on a version without value, to try the setup.
    const credential =
      pending === undefined
        ? parseUnlessFirst(rotator.schema, (await this.#currentVersion(description)).value, description.name)
        : this.#parsed(pending, description, token);
    // A first value logs in nowhere: that it waits for its first rotation is no failure to wake anybody for.
    if (credential === undefined) return { step, done: false };
    await this.#prove(credential, description, token);
    if (pending !== undefined) {
      store.noteProven(description.arn, token);
    }
    return { step, done: true };
  }

  /** Tries a credential at the target. @throws TargetError when the target does not accept it */
  async #prove(credential: S, description: SecretDescription, token: string): Promise<void> {
    const result = await this.#withFindings(description, token, (target) =>
      this.#deps.rotator.probe(credential, target),
    );
    // Where a pool holds every connection of the user, waiting for one would leave the current version refused for as long.
    if (isFailed(result) && result.passwordAccepted !== true) throw result.error;
  }

  async #finish(
    { step, token }: RotationEvent,
    description: SecretDescription,
    state: 'pending' | 'current',
  ): Promise<StepReport> {
    const { rotator, strategy, store, records, origin } = this.#deps;
    const pending = await this.#valueOf(description, token);
    if (pending === undefined) {
      throw new SecretError(
        'SecretValueMissing',
        `version ${token} of ${description.name} has no value; ${stages.current} stays where it is`,
      );
    }
    if (state === 'current' && !wasRotated(description, token, pending)) {
      return { step, done: false };
    }
    const from = versionWith(description, state === 'current' ? stages.previous : stages.current);
    if (state === 'pending') {
      await requireTrusted(pending, description, this.#deps);
      // Secrets Manager comes here after a test, which mostly ran in this process; whoever else may invoke the
      // function must not make a version current that does not log in.
      if (!store.isProven(description.arn, token)) {
        await this.#prove(this.#parsed(pending, description, token), description, token);
      }
      await moveCurrent(description, { to: token, from }, this.#deps);
    }
    const made = pending.created ?? store.storedAt(description.arn, token);
    const durationMs = made && Math.max(0, origin.clock.now().getTime() - made.getTime());
    // Announced even when the label had moved before: the step that moved it may have died before it said so.
    await records.publish([
      createEvent(
        origin,
        'Secret Rotation Succeeded',
        {
          ...subjectOf(description, token, this.#deps),
          ...(from !== undefined && { previousVersionId: from }),
          ...(state === 'pending' && durationMs !== undefined && { durationMs }),
        },
        { correlationId: token, fact: `${description.arn} ${token}` },
      ),
    ]);
    if (rotator.kind === 'issuing' && strategy === 'single-user') {
      await this.#retire(description, token, pending, from);
    }
    await this.#withFindings(description, token, (target) =>
      noteContent(description, pending, target, this.#deps),
    );
    store.forget(description.arn);
    return {
      step,
      done: state === 'pending',
      announced: true,
      ...(state === 'pending' && durationMs !== undefined && { rotationMs: durationMs }),
    };
  }

  /** Removes the replaced credential: with one user, a target that issues them accepts two only during the rotation. */
  async #retire(
    description: SecretDescription,
    token: string,
    pending: SecretVersion,
    from: string | undefined,
  ): Promise<void> {
    if (from === undefined) return;
    const current = this.#parsed(pending, description, token);
    const moved = { ...description, versions: { [token]: [stages.current], [from]: [stages.previous] } };
    await this.#atTarget(moved, token, current, async (context) => {
      try {
        await retirePrevious(this.#deps, moved, { current: pending, act: 'remove', context });
      } catch (error) {
        const { code, message, retryable } = summarizeError(error);
        if (retryable) throw error;
        context.finding({
          code: 'PreviousCredentialRemains',
          message: `the credential that was replaced still works, since it could not be removed (${code}: ${message}); remove it by hand`,
        });
      }
    });
  }

  async #currentVersion(description: SecretDescription): Promise<SecretVersion> {
    const versionId = versionWith(description, stages.current);
    const version = versionId === undefined ? undefined : await this.#valueOf(description, versionId);
    if (version === undefined) {
      throw new SecretError(
        'SecretValueMissing',
        `${description.name} has no text value labelled ${stages.current}; store the credential that works now, as JSON`,
      );
    }
    return version;
  }

  async #pending(description: SecretDescription, token: string): Promise<SecretVersion> {
    const version = await this.#valueOf(description, token);
    if (version === undefined) {
      throw new SecretError(
        'SecretValueMissing',
        `version ${token} of ${description.name} has no value yet; createSecret must run first`,
      );
    }
    return version;
  }

  /** Reads a version. A value that was stored a moment ago may not be found yet. */
  #valueOf({ arn }: SecretDescription, versionId: string): Promise<SecretVersion | undefined> {
    const { store, wait } = this.#deps;
    return lookUntil(
      () => store.read(arn, { versionId }),
      (version) => version !== undefined,
      wait,
    );
  }

  #parsed({ value }: SecretVersion, { name }: SecretDescription, token: string): S {
    return parseCredential(this.#deps.rotator.schema, value, `${name} version ${token}`);
  }

  /** Runs an action at the target with the credentials at hand. */
  #atTarget<T>(
    description: SecretDescription,
    token: string,
    current: S,
    action: (context: ApplyContext<S>) => Promise<T>,
  ): Promise<T> {
    const { strategy, origin } = this.#deps;
    const credentials = credentialsAtHand(this.#deps, description, current);
    return this.#withFindings(description, token, (target) =>
      action({ ...target, strategy, random: origin.random, credentials }),
    );
  }

  #withFindings<T>(
    { arn }: SecretDescription,
    token: string,
    action: (target: TargetContext) => Promise<T>,
  ): Promise<T> {
    return withFindings(this.#deps, { secretArn: arn, versionId: token }, action);
  }
}
