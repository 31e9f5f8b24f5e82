import type { DefinitionStore } from '../core/ports.ts';
import type { SecretDefinition } from '../core/secret/definition.ts';

/**
 * The definitions for a step of a rotation, which does without one rather than wait. A network may have no way to Systems
 * Manager, and a step has a minute. The client is loaded with the first question, since adopted secrets never ask.
 */
export class PromptDefinitionStore implements Pick<DefinitionStore, 'find'> {
  readonly #environment: string;
  #store: Promise<Pick<DefinitionStore, 'find'>> | undefined;

  constructor(environment: string) {
    this.#environment = environment;
  }

  async find(secret: string): Promise<SecretDefinition | undefined> {
    this.#store ??= this.#open();
    return (await this.#store).find(secret);
  }

  async #open(): Promise<Pick<DefinitionStore, 'find'>> {
    const { promptClient, SsmDefinitionStore } = await import('./prompt-ssm.ts');
    return new SsmDefinitionStore(promptClient(), this.#environment);
  }
}
