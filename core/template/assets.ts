import { resourceKey, type Template } from './template.ts';
import type { Value } from './value.ts';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Tells whether a document is a manifest of the CDK's assets, `<stack>.assets.json`. */
export const isAssetManifest = (document: unknown): document is Json =>
  isObject(document) && isObject(document.dockerImages) && typeof document.version === 'string';

/**
 * Reads the build arguments of container images from the manifest of the CDK's assets. They stand in no template, and in each
 * image for good.
 */
export function readAssetManifest(name: string, manifest: Json): Template {
  const images = Object.entries(isObject(manifest.dockerImages) ? manifest.dockerImages : {});
  return {
    name,
    dialect: 'cloudformation',
    outputs: [],
    parameters: [],
    drift: [],
    resources: images.flatMap(([id, image]) => {
      if (!isObject(image) || !isObject(image.source) || !isObject(image.source.dockerBuildArgs)) return [];
      const { displayName } = image;
      return [
        {
          key: resourceKey(name, id),
          template: name,
          dialect: 'cloudformation' as const,
          id,
          path: typeof displayName === 'string' ? displayName : id,
          type: 'Rekey::Docker::Image',
          properties: {
            BuildArguments: Object.fromEntries(
              Object.entries(image.source.dockerBuildArgs).map(([key, value]): [string, Value] => [
                key,
                typeof value === 'string' ? value : null,
              ]),
            ),
          },
          pointer: ['dockerImages', id, 'source', 'dockerBuildArgs'],
          retained: false,
          ownedByCdk: false,
          waivers: [],
        },
      ];
    }),
  };
}
