import type { ContentEffect } from '../../rotators/descriptor.ts';
import { registry, type SecretType, secretTypes } from '../../rotators/registry.ts';

/** Texts on how the next rotation treats a changed field of a created secret. */
export const contentEffects: Readonly<Record<ContentEffect, string>> = {
  written: 'is written into the JSON; the credential stays where it is',
  moves:
    'the next rotation sets a new credential there with the admin secret; the one in use is never sent there, and keeps working where it was',
  refused: 'refused at synth: it is the credential, or comes from `adminSecret`',
};

/** Types whose secrets Rekey can create. The JSON of an adopted one is its owner's, and no configuration changes it. */
export type CreatedType = {
  [Type in SecretType]: (typeof registry)[Type] extends { readonly created: object } ? Type : never;
}[SecretType];

/** Tells whether Rekey can create secrets of a type. */
export const isCreated = (type: SecretType): type is CreatedType => 'created' in registry[type];

/** Effects of a change in `create.fields`, by type, for every field that the type knows in its secrets' JSON. */
export const contentChanges = Object.fromEntries<Readonly<Record<string, ContentEffect>>>(
  secretTypes.filter(isCreated).map((type) => [type, registry[type].created.changes]),
) as Readonly<Record<CreatedType, Readonly<Record<string, ContentEffect>>>>;
