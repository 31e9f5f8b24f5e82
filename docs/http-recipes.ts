import type { Recipe } from '../rotators/http/recipe.ts';
import { pinnedParameters } from '../rotators/http/recipe-rules.ts';
import { recipes } from '../rotators/http/recipes/index.ts';

/** Writes the page of all recipes for HTTP APIs, made from their files. */
export function httpRecipes(): string {
  const all = recipes.names.flatMap((name) => {
    const recipe = recipes.get(name);
    return recipe === undefined ? [] : [{ name, recipe }];
  });
  const rows = all.map(
    ({ name, recipe }) =>
      `| [\`${name}\`](#${name}) | ${recipe.title} | ${recipe.own === undefined ? 'needed' : 'needed unless the credential may do it itself'} | ${recipe.list?.name === undefined ? 'named to a person' : 'yes'} | ${recipe.verifiedOn.split(';')[0]} |`,
  );
  return `# Recipes for HTTP APIs

What each recipe of the secret type [\`http\`](http.md) needs and does. Generated from \`rotators/http/recipes/\` by \`npm run docs\`.

**None of them was run against the service itself.** Each follows the vendor's published description, which is linked, and each
was run against an HTTPS server of the test suite that answers in the form described there. Try a recipe with a credential
that nobody uses before you rely on it.

| recipe | for | admin secret | leftovers found | run against |
|---|---|---|---|---|
${rows.join('\n')}

${all.map(({ name, recipe }) => section(name, recipe)).join('\n\n')}
`;
}

function section(name: string, recipe: Recipe): string {
  const { credential, create, parameters, admin, own, notes, documentation } = recipe;
  const issued = Object.keys(create.answer).filter(
    (key) => key !== credential.id && key !== credential.secret,
  );
  const rows = [
    ['`recipe`', `\`${name}\``],
    ...Object.entries(parameters).map(([key, { description, default: preset, optional }]) => [
      `\`${key}\``,
      `${description}${preset === undefined ? '' : `; default ${JSON.stringify(preset)}`}${optional ? '; may be left out' : ''}`,
    ]),
    [`\`${credential.id}\``, 'what the service knows the credential by; not secret'],
    [`\`${credential.secret}\``, 'the credential itself'],
    ...issued.map((key) => [`\`${key}\``, 'as the service says it; written by each rotation']),
  ];
  const pinned = pinnedParameters(recipe).map((key) =>
    parameters[key]?.default === undefined ? `\`${key}\`` : `\`${key}\` (unless it is the default)`,
  );
  const fields = Object.entries(admin.fields).map(([key, { description }]) => `\`${key}\` (${description})`);
  const same = pinned.length === 0 ? '' : `, and the same ${pinned.join(', ')} as the secret`;
  const documents = documentation.map((url) => `<${url}>`).join(', ');
  return [
    `## ${name}`,
    `${recipe.title}. After ${documents}.`,
    ['| key | |', '|---|---|', ...rows.map(([key, text]) => `| ${key} | ${text} |`)].join('\n'),
    `Admin secret: \`service\` (\`${recipe.service}\`), ${fields.join(', ')}${same}. It needs: ${admin.permission}.${admin.ends === undefined ? '' : ` It ends ${admin.ends}.`}${own === undefined ? '' : ` Without one, the credential makes its own successor; then it needs: ${own.permission}.`}`,
    `Revoked: ${recipe.revocation}.`,
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')]),
  ].join('\n\n');
}
