import type { registry, SecretType } from '../../rotators/registry.ts';

/** The settings of a secret as its schema reads them, whatever they say together. */
interface LooseSecret {
  readonly type: SecretType;
  readonly strategy: string;
  readonly create?: object | undefined;
  readonly adopt?: string | undefined;
  readonly encryptionKey?: string | undefined;
  readonly identity?: object | undefined;
  readonly rotationFunction?: string | undefined;
  readonly resources?: string[] | undefined;
}

/**
 * The settings of a secret as the one kind that it is. Its type decides about the strategy, the resources and the function that
 * rotates it, and it is either created or adopted. The rules of the configuration refuse what fits no kind, with a sentence.
 *
 * @typeParam Loose - the same settings as the schema reads them, before or after the defaults
 */
export type SecretKind<Loose extends LooseSecret> = {
  [Type in SecretType]: Common<Loose> & OfType<Type, Loose> & Origin<Loose>;
}[SecretType];

type Common<Loose> = Omit<
  Loose,
  'type' | 'strategy' | 'resources' | 'rotationFunction' | 'create' | 'adopt' | 'encryptionKey' | 'identity'
>;

/** Settings that the type decides about. */
interface TypeSettings<Type extends SecretType> {
  readonly type: Type;
  readonly strategy: (typeof registry)[Type]['strategies'][number];
}
type OfType<Type extends SecretType, Loose extends LooseSecret> = TypeSettings<Type> &
  ((typeof registry)[Type] extends { readonly foreignFunction: true }
    ? { readonly rotationFunction: string }
    : { readonly rotationFunction?: undefined }) &
  ((typeof registry)[Type] extends { readonly aws: object }
    ? { readonly resources: string[] }
    : Loose extends { readonly resources: string[] }
      ? { readonly resources: [] }
      : { readonly resources?: [] | undefined });

/** A secret that Rekey creates, or one that exists. */
type Origin<Loose extends LooseSecret> =
  | {
      readonly create: NonNullable<Loose['create']>;
      readonly adopt?: undefined;
      readonly encryptionKey?: undefined;
      readonly identity?: undefined;
    }
  | {
      readonly adopt: string;
      readonly create?: undefined;
      readonly encryptionKey?: string | undefined;
      readonly identity?: Loose['identity'];
    };
