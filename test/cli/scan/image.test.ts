import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { pathText } from '../../../core/scan/finding.ts';
import { tarOf } from './pack.ts';
import { planted } from './planted.ts';
import { scanned } from './world.ts';

const { value: secret } = planted.find(({ name }) => name === 'GitHub') ?? { value: '' };
const { value: other } = planted.find(({ name }) => name === 'GitLab') ?? { value: '' };
const digest = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');

const layers = [
  tarOf({ 'app/.env': `TOKEN=${secret}`, 'app/kept.js': 'x', 'srv/a/b.txt': `${secret}` }),
  tarOf({ 'app/.wh..env': '', 'app/main.js': `k = "${secret}"` }),
  tarOf({ 'srv/a/.wh..wh..opq': '' }),
].map((layer) => gzipSync(layer));
const config = JSON.stringify({
  config: { Env: ['PATH=/bin', `GITLAB=${other}`], Labels: { 'build.token': other, 'org.title': 'shop' } },
  history: [
    { created_by: 'COPY app /app' },
    { created_by: `ENV GITLAB=${other}`, empty_layer: true },
    { created_by: `/bin/sh -c rm app/.env && curl -H ${other} host` },
    { created_by: 'RUN rm -r srv' },
  ],
  rootfs: { type: 'layers', diff_ids: [] },
});
const manifest = JSON.stringify({
  schemaVersion: 2,
  config: { digest: `sha256:${digest(config)}` },
  layers: layers.map((layer) => ({ digest: `sha256:${digest(layer)}` })),
});
const blob = (bytes: string | Buffer) => `blobs/sha256/${digest(bytes)}`;
const blobs = Object.fromEntries([...layers, config, manifest].map((one) => [blob(one), one]));
const index = JSON.stringify({ manifests: [{ digest: `sha256:${digest(manifest)}` }] });
const saved = JSON.stringify([{ Config: blob(config), RepoTags: ['shop:1.4'], Layers: layers.map(blob) }]);

const expected = (image: string) => [
  [`artifact → layer 1 of ${image} → app/.env`, 'deleted by layer 2, and shipped all the same'],
  [`artifact → layer 1 of ${image} → srv/a/b.txt`, 'deleted by layer 3, and shipped all the same'],
  [`artifact → layer 2 of ${image} → app/main.js`, expect.stringMatching(/^the layer was made by/)],
];

describe('an image', () => {
  test.each([
    [
      'an OCI layout',
      { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}', 'index.json': index, ...blobs },
      `image ${digest(manifest).slice(0, 12)}`,
    ],
    [
      'an OCI layout with its documents at the end',
      { ...blobs, 'index.json': index },
      `image ${digest(manifest).slice(0, 12)}`,
    ],
    ['docker save', { ...blobs, 'index.json': index, 'manifest.json': saved }, 'shop:1.4'],
  ])('%s: each layer is looked into, and what a later one deletes is shipped', async (_, files, name) => {
    const { found, notLookedInto } = await scanned(tarOf(files));
    expect(notLookedInto).toEqual([]);
    const inLayers = found.filter(({ rule }) => rule === 'GitHubToken');
    expect(inLayers.map(({ place, remark }) => [pathText(place.path), remark])).toEqual(expected(name));
  });

  test('its environment, labels and history are looked into by name', async () => {
    const { found } = await scanned(tarOf({ ...blobs, 'index.json': index }));
    const places = found.filter(({ rule }) => rule === 'GitLabToken').map(({ place }) => place.path.at(-1));
    expect(places).toEqual([
      'config.Env[1]',
      'config.Labels.build.token',
      'history[1].created_by',
      'history[2].created_by',
    ]);
    expect(JSON.stringify(found)).not.toContain(other);
  });

  test('a file that came after it was deleted is not called deleted', async () => {
    const files = [tarOf({ '.wh.a.js': '' }), tarOf({ 'a.js': secret })];
    const names = files.map((_, at) => `${at}/layer.tar`.padStart(74, 'a'));
    const list = JSON.stringify([{ Config: 'c.json', RepoTags: ['shop:2'], Layers: names }]);
    const packed = Object.fromEntries(names.map((name, at) => [name, files[at] ?? '']));
    const { found } = await scanned(tarOf({ ...packed, 'manifest.json': list }));
    expect(found.map(({ place, remark }) => [place.path[1], remark])).toEqual([
      ['layer 2 of shop:2', undefined],
    ]);
  });

  test('of the older form of docker save', async () => {
    const [first = Buffer.alloc(0)] = layers;
    const id = digest(first);
    const name = `${digest(config)}.json`;
    const old = JSON.stringify([{ Config: name, RepoTags: ['shop:1'], Layers: [`${id}/layer.tar`] }]);
    const { found } = await scanned(
      tarOf({ [name]: config, [`${id}/layer.tar`]: first, 'manifest.json': old }),
    );
    expect(found.map(({ place }) => pathText(place.path))).toContain(
      'artifact → layer 1 of shop:1 → app/.env',
    );
  });

  test('with documents that are no JSON, or go on without end, is looked into all the same', async () => {
    const deep = `${'['.repeat(200)}"${secret}"${']'.repeat(200)}`;
    for (const document of ['{"a": not json', deep]) {
      const { rules } = await scanned(tarOf({ ...blobs, 'index.json': `${document}\n${secret}` }));
      expect(rules).toContain('GitHubToken');
    }
    expect((await scanned(tarOf({ 'index.json': deep }))).rules).toEqual(['GitHubToken']);
  });
});
